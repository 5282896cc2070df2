import { fromBinary } from '@bufbuild/protobuf';
import { ErrorResponseSchema } from './gen/alcove/v1/common_pb';
import type { ErrorResponse } from './gen/alcove/v1/common_pb';

/**
 * A request that failed. `code` and `reason` are stable (see common.proto); `network` is ours, for a
 * server that could not be reached at all.
 */
export class AlcoveError extends Error {
  constructor(
    readonly code: string,
    readonly reason: string,
    message: string,
    /** Seconds to wait before trying again; 0 where the server did not say. */
    readonly retryAfter = 0,
    /** HTTP status; 0 without an answer. */
    readonly status = 0,
    /** What the reason is about, to be filled into a text: an address, or the operator's own words. */
    readonly values: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'AlcoveError';
  }

  /** The finest stable name there is: the reason, or the code where the reason is empty. */
  get key(): string {
    return this.reason === '' ? this.code : this.reason;
  }
}

export function errorFromResponse(body: ErrorResponse, status: number): AlcoveError {
  return new AlcoveError(
    body.code || codeOfStatus(status),
    body.reason,
    body.message,
    body.retryAfterSeconds,
    status,
    body.textEn === '' && body.textFr === '' ? {} : { en: body.textEn, fr: body.textFr },
  );
}

/** The error of a failed HTTP answer. A body that is not ours (a proxy's page) still gives a code. */
export function errorFromBody(
  bytes: Uint8Array,
  status: number,
  retryAfter: string | null,
): AlcoveError {
  const seconds = Number.parseInt(retryAfter ?? '', 10);
  try {
    const body = fromBinary(ErrorResponseSchema, bytes);
    if (body.retryAfterSeconds === 0 && seconds > 0) body.retryAfterSeconds = seconds;
    if (body.code !== '') return errorFromResponse(body, status);
  } catch {
    // Not protobuf: fall through to what the status says.
  }
  const code = codeOfStatus(status);
  return new AlcoveError(
    code,
    kReasons[status] ?? '',
    `HTTP status ${String(status)}`,
    seconds > 0 ? seconds : 0,
    status,
  );
}

/** Where the body is not ours. */
const kReasons: Partial<Record<number, string>> = { 429: 'rate_limited', 451: 'offer.denied' };

function codeOfStatus(status: number): string {
  switch (status) {
    case 400:
      return 'invalid_argument';
    case 401:
      return 'unauthenticated';
    case 403:
    case 451:
      return 'permission_denied';
    case 404:
    case 410:
      return 'not_found';
    case 409:
      return 'already_exists';
    case 429:
      return 'resource_exhausted';
    case 502:
    case 503:
    case 504:
      return 'unavailable';
    default:
      return 'internal';
  }
}

/** Turns whatever was thrown into an AlcoveError, so that callers have one type to show. */
export function toAlcoveError(thrown: unknown): AlcoveError {
  if (thrown instanceof AlcoveError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AlcoveError('internal', '', message);
}
