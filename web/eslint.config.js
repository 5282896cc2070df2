import js from '@eslint/js';
import globals from 'globals';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import svelteConfig from './app/svelte.config.js';

const ways = [
  ...['fetch', 'WebSocket', 'WebSocketStream', 'RTCPeerConnection', 'webkitRTCPeerConnection'],
  ...['EventSource', 'XMLHttpRequest', 'WebTransport', 'Worker', 'SharedWorker', 'importScripts'],
  ...['RTCIceTransport', 'Image', 'Audio'],
].join('|');
const methods = [
  ...['addIceCandidate', 'setRemoteDescription', 'setConfiguration', 'sendBeacon', 'addModule'],
  'fetchLater',
].join('|');

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', '**/gen/**'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      // TypeScript itself reports undefined names, and knows more of them.
      'no-undef': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.config.*'],
    languageOptions: { globals: { ...globals.node } },
  },
  {
    // One way out: what is sent beyond the page passes sdk/src/egress.
    files: ['sdk/src/**/*.ts', 'app/src/**/*.ts', 'app/src/**/*.svelte'],
    ignores: ['sdk/src/egress/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[
          `CallExpression[callee.name=/^(${ways})$/]`,
          `CallExpression[callee.property.type="Identifier"][callee.property.name=/^(${ways}|${methods})$/]`,
          `NewExpression[callee.name=/^(${ways})$/]`,
          `NewExpression[callee.property.name=/^(${ways})$/]`,
          // A way out by another name, or handed on as a value.
          `VariableDeclarator[init.name=/^(${ways})$/]`,
          `VariableDeclarator > ObjectPattern > Property[key.name=/^(${ways}|${methods})$/]`,
          `:matches(CallExpression, NewExpression) > Identifier.arguments[name=/^(${ways})$/]`,
          `Property[value.name=/^(${ways})$/]`,
          `LogicalExpression > Identifier[name=/^(${ways})$/]`,
          `ClassDeclaration[superClass.name=/^(${ways})$/]`,
          'CallExpression[callee.object.name="window"][callee.property.name="open"]',
          'CallExpression[callee.object.property.name="serviceWorker"]',
          'ImportExpression[source.type!="Literal"]',
          'Property[key.name="iceServers"]',
        ].map((selector) => ({ selector, message: 'This leaves the page: use sdk/src/egress.' })),
      ],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: tseslint.parser, extraFileExtensions: ['.svelte'], svelteConfig },
    },
  },
);
