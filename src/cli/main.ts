import { start, type Tool } from './start.ts';

/** Looked up before anything else is loaded, so that a tool pays for nothing but itself. */
const tools: Record<string, () => Promise<Tool>> = {
  pkgbuild: () => import('./pkgbuild.ts'),
  pkgcontrol: () => import('./pkgcontrol.ts'),
  pkgfetch: () => import('./pkgfetch.ts'),
  pkgimage: () => import('./pkgimage.ts'),
  pkgrepo: () => import('./pkgrepo.ts'),
  pkgsolve: () => import('./pkgsolve.ts'),
  pkgvercmp: () => import('./pkgvercmp.ts'),
  withenv: () => import('./withenv.ts'),
  withpkgs: () => import('./withpkgs.ts'),
};

await start((tool) => (Object.hasOwn(tools, tool) ? tools[tool]?.() : undefined));
