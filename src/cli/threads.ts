/**
 * Lets this process have so many blobs under way in the file system at once as on the network: of libuv's usual
 * four threads each waits whenever a blob is brought to disk (a pull of 100 layers took a third longer). To be called
 * before anything asynchronous touches a file, as the threads are started only once.
 */
export function useMoreThreads(): void {
  process.env['UV_THREADPOOL_SIZE'] ??= '16';
}
