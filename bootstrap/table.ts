import { formatSize } from '../src/cli/progress.ts';
import { type Diary, type DiaryEntry, isEnd } from './diary.ts';

/** What each package took when it was built last, and how often it was taken from the cache, as Markdown. */
export function diaryTable(diary: Diary): string {
  const entries = diary.filter((line): line is DiaryEntry => !isEnd(line));
  const rows = new Map<string, { built: DiaryEntry | undefined; last: DiaryEntry; hits: number }>();
  for (const entry of entries) {
    const key = `${entry.stage} ${entry.name}`;
    const before = rows.get(key);
    const built = entry.how === 'built' ? entry : before?.built;
    rows.set(key, { built, last: entry, hits: (before?.hits ?? 0) + (entry.how === 'built' ? 0 : 1) });
  }
  const lines = [...rows.values()]
    .sort((a, b) => a.last.stage - b.last.stage)
    .map(({ built, last, hits }) => {
      const { stage, name, cpuSeconds, bytes, packed } = built ?? last;
      const wall = built ? built.seconds.toFixed(0) : '–';
      const cells = [stage, name, cpuSeconds.toFixed(0), wall, formatSize(bytes), formatSize(packed), hits];
      return `| ${cells.join(' | ')} |\n`;
    });
  const sum = [...rows.values()].reduce((all, { built, last }) => all + (built ?? last).cpuSeconds, 0);
  return [
    '| stage | source | CPU seconds | seconds | size | as a layer (zstd) | cache hits |\n',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: |\n',
    ...lines,
    `| all | | ${sum.toFixed(0)} | | | | |\n`,
  ].join('');
}
