// The HTTP API, for what a story needs done but does not test: accounts, mostly.
export async function call(origin, method, path, { body, token, headers = {} } = {}) {
  const response = await fetch(origin + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Not JSON: the caller sees the text.
  }
  return { status: response.status, json, text, headers: response.headers };
}

export const password = 'correct horse battery';

export async function register(origin, username) {
  const answer = await call(origin, 'POST', '/v1/accounts', { body: { username, password, displayName: username } });
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.text}`);
  return answer.json;
}
