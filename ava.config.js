/** Tests run from their TypeScript by the project's own Node; two files at a time, as they start real programs. */
export default {
  files: ['test/**/*.test.ts'],
  extensions: ['ts'],
  concurrency: 2,
  timeout: '10m',
  environmentVariables: { STATIC_DISTRO_TEST: '1' },
};
