import { spawnSync } from 'node:child_process';
import { Fault } from '../builder/fault.ts';
import { formatSize } from '../src/cli/progress.ts';
import { run } from './check-tools.ts';
import { repositories } from './stages.ts';
import type { StepOptions } from './step.ts';

const tag = (name: string): string => `static-distro-verify/${name}`;

const program = `
import json, sqlite3, ssl, sys, zlib
base = sqlite3.connect(':memory:')
base.execute('CREATE TABLE sale (price REAL)')
base.executemany('INSERT INTO sale VALUES (?)', [(3,), (4,)])
print(json.dumps({
    'python': sys.version.split()[0],
    'sum': base.execute('SELECT sum(price) FROM sale').fetchone()[0],
    'unpacked': zlib.decompress(zlib.compress(b'text')).decode(),
    'authorities': len(ssl.create_default_context().get_ca_certs()),
}))
`;

const fetcher = `
import time, urllib.error, urllib.request
for _ in range(100):
    try:
        with urllib.request.urlopen('http://127.0.0.1/') as answer:
            print(answer.status, answer.headers['Server'], answer.read().decode())
        break
    except urllib.error.URLError:
        time.sleep(0.1)
`;

/**
 * Images of nginx, and of python with certificates, from stage 3, in docker: the page is served, and fetched by the
 * other image on the same loopback; a program of Python runs. Needs docker's daemon, and no network.
 */
export function checkImages({ root }: StepOptions): string {
  if (spawnSync('docker', ['info'], { stdio: 'ignore' }).status !== 0)
    throw new Fault('INPUT', 'docker does not answer: start its daemon, or name it in DOCKER_HOST');
  const build = (name: string, packages: string, ...more: string[]): string => {
    const places = ['-d', `bootstrap/${repositories.stage3}`, '-p', ...packages.split(' ')];
    run(root, 'bin/pkgimage', ['build', ...places, '-t', tag(name), ...more, '--require-clean'], '');
    run(root, 'bin/pkgimage', ['load', tag(name), 'docker'], '');
    const said = run(root, 'bin/pkgimage', ['inspect', '--json', tag(name)], '');
    const { images } = JSON.parse(said) as { images: { size: number }[] };
    const unpacked = Number(run(root, 'docker', ['image', 'inspect', '-f', '{{.Size}}', tag(name)], ''));
    const packed = images.reduce((sum, { size }) => sum + size, 0);
    return `${formatSize(packed)} compressed, ${formatSize(unpacked)} unpacked`;
  };
  const sizes = {
    nginx: build('nginx', 'nginx', '--entrypoint', '["/bin/nginx","-g","daemon off;"]', '--port', '80'),
    python: build('python', 'python ca-certificates', '--entrypoint', '/bin/python3'),
  };
  const python = (network: string, text: string): string =>
    run(root, 'docker', ['run', '--rm', '--network', network, tag('python'), '-c', text], '');
  const id = run(root, 'docker', ['run', '-d', '--network', 'none', tag('nginx')], '').trim();
  try {
    const page = python(`container:${id}`, fetcher);
    if (!/^200 nginx\/\S+ [^]*Welcome to nginx!/.test(page))
      throw new Fault('INTEGRITY', `nginx: ${JSON.stringify(page.slice(0, 300))}`);
  } finally {
    spawnSync('docker', ['rm', '-f', id], { stdio: 'ignore' });
  }
  const said = python('none', program);
  const { sum, unpacked, authorities } = JSON.parse(said) as Record<string, unknown>;
  if (sum !== 7 || unpacked !== 'text' || !(Number(authorities) > 100))
    throw new Fault('INTEGRITY', `python: ${JSON.stringify(said)}`);
  const shown = Object.entries(sizes).map(([name, text]) => `${name}: ${text}`);
  return `nginx serves its page, python fetches it and runs a program; ${shown.join('; ')}; ${said.trim()}`;
}
