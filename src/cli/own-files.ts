/** Whatever the umask takes from others: whoever makes files and directories can use them afterwards. */
export function keepOwnFiles(): void {
  const before = process.umask(0o077);
  process.umask(before & 0o077);
}
