import { Reaction } from '@alcove/sdk';
import { Heart, ThumbsUp } from 'lucide';
import type { IconNode } from 'lucide';

export {
  ArrowLeft,
  Check,
  CircleAlert,
  Download,
  Hand,
  Link,
  Lock,
  LockKeyhole,
  LockOpen,
  LogOut,
  Mic,
  MicOff,
  Plus,
  Settings,
  ShieldCheck,
  SmilePlus,
  Users,
  Volume2,
  X,
} from 'lucide';

/** Faces and hands that the icon set does not have, on its grid of 24. */
export const Laugh: IconNode = [
  ['circle', { cx: '12', cy: '12', r: '9.5' }],
  ['path', { d: 'M7.5 13.5h9a4.5 4.5 0 0 1-9 0Z' }],
  ['path', { d: 'm7.5 9.6 1.3-1 1.3 1' }],
  ['path', { d: 'm13.9 9.6 1.3-1 1.3 1' }],
];

export const Wow: IconNode = [
  ['circle', { cx: '12', cy: '12', r: '9.5' }],
  ['ellipse', { cx: '12', cy: '15.4', rx: '2.1', ry: '2.6' }],
  ['path', { d: 'M8.8 8.8v.8' }],
  ['path', { d: 'M15.2 8.8v.8' }],
];

export const Clap: IconNode = [
  [
    'path',
    {
      d: 'M9.2 20.5 4.6 15a2 2 0 0 1 .1-2.7l.2-.2a2 2 0 0 1 2.6-.2L5.2 9.2a1.6 1.6 0 0 1 2.5-2l3 3.4',
    },
  ],
  [
    'path',
    {
      d: 'M7.7 7.2A1.6 1.6 0 0 1 10 5.1l4 4.5.3-2.4a1.6 1.6 0 0 1 3.2.2l.4 6.1a6 6 0 0 1-2 4.9l-1.3 1.1a5 5 0 0 1-5.4.9',
    },
  ],
  ['path', { d: 'M13.5 2.5v1.6' }],
  ['path', { d: 'm17.6 3.4-.8 1.4' }],
  ['path', { d: 'm20.9 6-1.4.8' }],
];

export const reactionIcons: Partial<Record<Reaction, IconNode>> = {
  [Reaction.CLAP]: Clap,
  [Reaction.HEART]: Heart,
  [Reaction.LAUGH]: Laugh,
  [Reaction.WOW]: Wow,
  [Reaction.THUMBS_UP]: ThumbsUp,
};

export type { IconNode };
