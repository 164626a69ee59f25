import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { describe, expect, it } from 'vitest'

/** The rules of the house that no linter knows: who may import whom, what may not be used where, and how long things get. */

const ROOT = join(import.meta.dirname, '..')
const MOST_LINES = 400
const MOST_FUNCTION_LINES = 70

/** Rooms of src/ and what each may import besides itself. `*` is every room. Packages are listed apart. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  judge: ['model'],
  mesh: ['model'],
  ports: ['model'],
  clusters: ['model', 'ports', 'judge', 'mesh', 'reconcile/plan'],
  services: ['model', 'ports', 'judge', 'mesh', 'reconcile/plan'],
  rollouts: ['model', 'ports', 'judge', 'mesh', 'reconcile/plan'],
  strategies: ['model', 'ports', 'mesh'],
  policies: ['model', 'ports', 'mesh'],
  teams: ['model', 'ports'],
  freezes: ['model', 'ports'],
  certificates: ['model', 'ports', 'judge', 'mesh', 'authority', 'reconcile/plan'],
  authority: ['model'],
  'mesh-ca': ['model', 'ports', 'mesh', 'authority'],
  reconcile: ['model', 'ports', 'mesh', 'authority'],
  log: ['model', 'ports'],
  chat: ['model', 'ports', 'clusters', 'services', 'rollouts', 'certificates', 'teams', 'freezes', 'strategies'],
  http: [
    'model',
    'ports',
    'judge',
    'mesh',
    'reconcile/plan',
    'clusters',
    'services',
    'rollouts',
    'certificates',
    'mesh-ca',
    'policies',
    'teams',
    'freezes',
    'strategies',
    'chat',
  ],
  adapters: ['ports', 'model'],
  sandbox: ['app', 'model', 'settings'],
  cli: ['model'],
  app: [
    'model',
    'judge',
    'mesh',
    'ports',
    'clusters',
    'services',
    'rollouts',
    'strategies',
    'teams',
    'freezes',
    'certificates',
    'mesh-ca',
    'policies',
    'reconcile',
    'chat',
    'http',
    'log',
    'authority',
    'adapters',
    'app',
  ],
  functions: ['app', 'http'],
}

/** Packages that only some rooms may import. */
const PACKAGES: readonly (readonly [pattern: RegExp, rooms: readonly string[]])[] = [
  [/^@azure\/functions$/, ['functions']],
  [/^@azure\//, ['adapters', 'app', 'sandbox']],
  [/^@kubernetes\//, ['adapters', 'app', 'sandbox']],
  [/^jose$/, ['ports', 'http', 'adapters', 'sandbox']],
  [/^croner$/, ['ports', 'sandbox']],
  [/^@stdlib\//, ['judge']],
  [/^@peculiar\//, ['authority', 'sandbox']],
  [/^@opentelemetry\//, ['adapters', 'functions']],
]

/** Rooms that may use time, chance, the environment, the console and the network of the machine. */
const FREE_ROOMS = ['adapters', 'sandbox', 'cli']
/** The only readers of process.env outside them. */
const SETTINGS = ['src/settings.ts', 'src/roles.ts']
const BANNED_MEMBERS = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['crypto', 'randomUUID'],
  ['process', 'env'],
] as const
const BANNED_CALLS = ['setTimeout', 'setInterval', 'setImmediate', 'randomUUID', 'fetch']

interface Import {
  readonly from: string
  readonly typeOnly: boolean
}

interface Parsed {
  readonly path: string
  readonly room: string
  readonly text: string
  readonly imports: readonly Import[]
  readonly banned: readonly string[]
  readonly longFunctions: readonly string[]
}

const files = globSync(['src/**/*.ts', 'functions/**/*.ts'], { cwd: ROOT }).sort().map(parse)
const tests = globSync(['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'], { cwd: ROOT }).sort().map(parse)

function roomOf(path: string): string {
  const [top = '', room = ''] = path.split('/')
  if (top !== 'src') return top
  return room.endsWith('.ts') ? 'app' : room
}

function parse(path: string): Parsed {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const { program, module, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`)
  const banned: string[] = []
  const longFunctions: string[] = []
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length
  const measure = (node: { start: number; end: number }): void => {
    const lines = lineOf(node.end) - lineOf(node.start) + 1
    if (lines > MOST_FUNCTION_LINES) longFunctions.push(`${path}:${lineOf(node.start)} has ${lines} lines`)
  }
  const ban = (what: string, offset: number): void => void banned.push(`${path}:${lineOf(offset)} ${what}`)
  new Visitor({
    MemberExpression(node) {
      if (node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return
      const [object, property] = [node.object.name, node.property.name]
      if (object === 'console' || BANNED_MEMBERS.some(([o, p]) => o === object && p === property))
        ban(`${object}.${property}`, node.start)
    },
    CallExpression(node) {
      if (node.callee.type === 'Identifier' && BANNED_CALLS.includes(node.callee.name))
        ban(node.callee.name, node.start)
    },
    NewExpression(node) {
      if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0)
        ban('new Date()', node.start)
    },
    TSAnyKeyword: (node) => ban('any', node.start),
    ExportDefaultDeclaration: (node) => ban('export default', node.start),
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
  }).visit(program)
  const statics = module.staticImports.map((entry) => ({
    from: entry.moduleRequest.value,
    typeOnly: entry.entries.length > 0 && entry.entries.every((name) => name.isType),
  }))
  const dynamics = module.dynamicImports.map(({ moduleRequest }) => ({
    from: text.slice(moduleRequest.start, moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
    typeOnly: false,
  }))
  const exports = module.staticExports.flatMap((entry) =>
    entry.entries.flatMap((name) =>
      name.moduleRequest ? [{ from: name.moduleRequest.value, typeOnly: name.isType }] : [],
    ),
  )
  return { path, room: roomOf(path), text, imports: [...statics, ...dynamics, ...exports], banned, longFunctions }
}

/** What an import of our own points at: `src/model/names.ts`; undefined for packages. */
function targetOf(file: Parsed, { from }: Import): string | undefined {
  return from.startsWith('.') ? relative(ROOT, join(ROOT, dirname(file.path), from)) : undefined
}

function isAllowed(file: Parsed, target: string): boolean {
  const room = roomOf(target)
  if (room === file.room) return true
  const allowed = ROOMS[file.room] ?? []
  return allowed.includes(room) || allowed.includes(target.replace(/^src\//, '').replace(/\.ts$/, ''))
}

describe('the house is tidy', () => {
  it('rooms import only what they may', () => {
    const wrong = files.flatMap((file) =>
      file.imports.flatMap((one) => {
        const target = targetOf(file, one)
        return target === undefined || isAllowed(file, target) ? [] : [`${file.path} imports ${target}`]
      }),
    )
    expect(wrong).toEqual([])
  })

  it('every file lies in a room that has rules', () => {
    expect(files.filter((file) => !Object.hasOwn(ROOMS, file.room)).map((file) => file.path)).toEqual([])
  })

  it('packages of the outside are imported where they belong', () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter(({ from }) => !from.startsWith('.'))
        .flatMap(({ from, typeOnly }) => {
          const rule = PACKAGES.find(([pattern]) => pattern.test(from))
          const isApp = file.room === 'app' && !typeOnly
          return rule && (!rule[1].includes(file.room) || isApp) ? [`${file.path} imports ${from}`] : []
        }),
    )
    expect(wrong).toEqual([])
  })

  it('the model and the judge import nothing but zod, hashes and statistics', () => {
    const wrong = files
      .filter((file) => ['model', 'judge', 'mesh'].includes(file.room))
      .flatMap((file) =>
        file.imports
          .filter(({ from }) => !/^(\.|zod$|node:crypto$|@stdlib\/)/.test(from))
          .map(({ from }) => `${file.path} imports ${from}`),
      )
    expect(wrong).toEqual([])
  })

  it('emulators share nothing with adapters', () => {
    const wrong = files
      .filter((file) => file.path.startsWith('src/sandbox/emulators/'))
      .flatMap((file) => file.imports.map((one) => [file.path, targetOf(file, one)] as const))
      .filter(([, target]) => target !== undefined && !target.startsWith('src/sandbox/'))
    expect(wrong).toEqual([])
  })

  it('time, chance, environment, console and network come through ports', () => {
    const isFree = (file: Parsed): boolean => FREE_ROOMS.includes(file.room)
    const uses = files.filter((file) => !isFree(file)).flatMap((file) => file.banned)
    const allowed = (use: string): boolean =>
      use.endsWith('process.env') && SETTINGS.some((path) => use.startsWith(path))
    expect(uses.filter((use) => !allowed(use) && !/ (any|export default)$/.test(use))).toEqual([])
  })

  it('there is no any and no default export', () => {
    const uses = [...files, ...tests].flatMap((file) => file.banned).filter((use) => / (any|export default)$/.test(use))
    expect(uses).toEqual([])
  })

  it(`no file is longer than ${MOST_LINES} lines, no function of the product than ${MOST_FUNCTION_LINES}`, () => {
    const long = [...files, ...tests]
      .filter((file) => file.text.trimEnd().split('\n').length > MOST_LINES)
      .map((file) => file.path)
    expect([...long, ...files.flatMap((file) => file.longFunctions)]).toEqual([])
  })

  it('triggers stay thin: no file in functions/ has more than 60 lines', () => {
    const long = files.filter((file) => file.room === 'functions' && file.text.trimEnd().split('\n').length > 60)
    expect(long.map((file) => file.path)).toEqual([])
  })

  it('nothing committed names a registry host or a path of one machine', () => {
    const named = [...files, ...tests].filter((file) =>
      /registry\.npmjs|proxy\.golang|pypi\.org|\/root\/|\/work\/main/.test(
        file.path === 'test/tidy.test.ts' ? '' : file.text,
      ),
    )
    expect(named.map((file) => file.path)).toEqual([])
  })
})
