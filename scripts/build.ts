import { globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

/** Where a build reads and writes. Paths are absolute or relative to the working directory. */
export interface BuildOptions {
  /** Directory of the functions; each `*.ts` in it becomes a module of the same name. */
  readonly functions: string
  /** Emptied first; gets `functions/`, `chunks/` and `meta.json`. */
  readonly out: string
}

// The library asks for its host by `require`, which the Functions worker answers; an ES module has none by itself.
const requireBanner = [
  "import { createRequire as createRequireOfBanner } from 'node:module'",
  'const require = createRequireOfBanner(import.meta.url)',
].join('\n')

/**
 * Leaves out the Key Vault client that Cosmos DB's SDK imports at its start for client-side encryption. We do not use that, and
 * a cold start should not pay for it: whoever calls it is told so. Our own imports of the package are not touched.
 */
const withoutClientSideEncryption: Plugin = {
  name: 'without-client-side-encryption',
  setup(build) {
    build.onResolve({ filter: /^@azure\/keyvault-keys$/ }, ({ importer }) =>
      /node_modules[\\/]@azure[\\/]cosmos[\\/]/.test(importer)
        ? { path: 'keyvault-keys', namespace: 'left-out' }
        : undefined,
    )
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: LEFT_OUT }))
  },
}
const LEFT_OUT =
  "export class KeyClient { constructor() { throw new Error('client-side encryption is not in this bundle') } }"

/**
 * Bundles the functions for Azure: ES modules for Node 22, code that several share, or that is imported late, in chunks
 * *outside* the functions' folder (the worker loads every file that `main` of package.json matches). Only Node's own
 * modules and `@azure/functions-core` stay outside the bundle. Returns esbuild's account of what went where.
 */
export async function buildFunctions(options: BuildOptions): Promise<Metafile> {
  const entries = globSync('*.ts', { cwd: options.functions }).sort()
  if (entries.length === 0) throw new Error(`No functions in ${options.functions}`)
  rmSync(options.out, { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: entries.map((file) => ({
      in: resolve(options.functions, file),
      out: `functions/${file.slice(0, -3)}`,
    })),
    outdir: options.out,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: ['@azure/functions-core'],
    banner: { js: requireBanner },
    sourcemap: 'linked',
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'linked',
    metafile: true,
    plugins: [withoutClientSideEncryption],
    logLevel: 'warning',
  })
  const meta = resolve(options.out, 'meta.json')
  mkdirSync(dirname(meta), { recursive: true })
  writeFileSync(meta, JSON.stringify(metafile))
  return metafile
}

/** One line for each file of code, largest first, in KiB, and their sum. */
export function describeSizes(metafile: Metafile): string {
  const code = Object.entries(metafile.outputs).filter(([file]) => file.endsWith('.js'))
  const sorted = code.map(([file, { bytes }]) => ({ file, bytes })).sort((a, b) => b.bytes - a.bytes)
  const sum = { file: `${sorted.length} files`, bytes: sorted.reduce((total, { bytes }) => total + bytes, 0) }
  return [...sorted, sum].map(({ file, bytes }) => `${(bytes / 1024).toFixed(1).padStart(9)} KiB  ${file}`).join('\n')
}

if (import.meta.main) console.log(describeSizes(await buildFunctions({ functions: 'functions', out: 'dist' })))
