import tseslint from 'typescript-eslint';

/**
 * Rooms may import only in one direction (docs/decisions.md): webview -> core/protocol and core/masks; editors, commands, cli and
 * kernel-host -> core; core -> nothing of ours. `from` is where the files lie; `not` are import paths they must not use.
 */
function room(files, not, { allowVscode = false } = {}) {
  return {
    files,
    rules: {
      'no-restricted-imports': ['error', {
        paths: allowVscode ? [] : [{ name: 'vscode', message: 'Only extension.ts, editors/ and commands/ may use the VS Code API.' }],
        patterns: [{ regex: not, message: 'The rooms import in one direction only: see "Where things are" in CONTRIBUTING.md.' }, TOOLKIT],
      }],
    },
  };
}
const TOOLKIT = { group: ['@vscode/webview-ui-toolkit', '@vscode/webview-ui-toolkit/*'], message: 'Import the widgets from webview/ui/toolkit.ts, the one file that knows the toolkit.' };
/** A relative path that climbs out of its room and enters one of these. */
const into = (...rooms) => `^(\\.\\./)+(${rooms.join('|')})(/|$)`;

export default tseslint.config(
  { ignores: ['dist/', 'out/', 'native/', '.editor/', 'demo-output/', 'node_modules/', 'test/fixtures/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name: a thing has one name everywhere.' }],
    },
  },
  {
    files: ['**/*.{ts,mjs,cjs}'],
    rules: {
      'max-lines': ['error', 500],
      'eqeqeq': ['error', 'always'],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-new-func': 'error',
    },
  },
  room(['extension/extension.ts'], '^\\./(cli|kernel-host|tools)/|^\\.\\./', { allowVscode: true }),
  room(['extension/core/**/*.ts'], into('editors', 'commands', 'cli', 'kernel-host', 'webview', 'test', 'extension')),
  room(['extension/core/masks/**/*.ts', 'extension/core/protocol/**/*.ts'], `${into('editors', 'commands', 'cli', 'kernel-host', 'webview', 'test', 'extension')}|^node:`),
  room(['extension/editors/**/*.ts'], into('commands', 'cli', 'kernel-host', 'webview', 'test'), { allowVscode: true }),
  room(['extension/commands/**/*.ts'], into('cli', 'kernel-host', 'webview', 'test'), { allowVscode: true }),
  room(['extension/cli/**/*.ts'], into('editors', 'commands', 'kernel-host', 'webview', 'test')),
  room(['extension/kernel-host/**/*.ts'], into('editors', 'commands', 'cli', 'webview', 'test')),
  room(['webview/**/*.ts'], '^(\\.\\./)+(?!extension/core/(protocol|masks)/)extension(/|$)|^node:|^(\\.\\./)+test(/|$)'),
  { files: ['webview/ui/toolkit.ts'], rules: { 'no-restricted-imports': 'off' } },
);
