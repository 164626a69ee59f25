import { jsonPointer } from '../../model/json-pointer.ts'
import { type ServiceSpec, serviceSpec } from '../../model/service.ts'
import type { FieldError } from '../http-route/sections.ts'
import type { RenderResult, RenderStep } from '../provider.ts'
import type { Draft } from './reader.ts'

/** The largest part of a draft that schema and mesh take. */
export interface Fitted {
  readonly spec: ServiceSpec
  readonly steps: readonly RenderStep[]
  /** What was left out, and why. */
  readonly left: readonly FieldError[]
}

/** Fields that are left out one by one; anything else is the service itself. What would mean more without a part goes as a whole. */
const PARTS: readonly RegExp[] = [
  /^\/traffic\/routes\/\d+\/(fault|mirror|timeout|retries|rewrite)(?=\/|$)/,
  /^\/traffic\/routes\/\d+/,
  /^\/traffic\/connections\/\w+/,
  /^\/(traffic|security|telemetry)\/\w+/,
  /^\/egress\/(unlisted|hosts\/\d+)/,
  /^\/(exposure|hosts)\/\d+/,
  /^\/versions\/[^/]+\/service(?=\/|$)/,
]

/** A rule by port needs the number of the Pods' port: without it the rule goes, not the port. */
const NEEDS_PORT = ['/security/authorization', '/security/authentication', '/security/mtls', '/traffic/rateLimit']
const PORT = /^\/ports\/\d+\/targetPort/

/** More fields than a draft has. */
const MOST = 500

/** Leaves out of a draft what is refused until all that is left is taken; the errors when what makes the service is refused. */
export function fitDraft(
  draft: Draft,
  render: (spec: ServiceSpec) => RenderResult,
): { readonly ok: true; readonly value: Fitted } | { readonly ok: false; readonly errors: readonly FieldError[] } {
  const left: FieldError[] = []
  let rest: unknown = draft
  for (let round = 0; round < MOST; round += 1) {
    const tried = attempt(rest, render)
    if ('spec' in tried) return { ok: true, value: { ...tried, left } }
    const [first] = tried.errors.flatMap((error) => {
      const pointer = partAt(rest, error.pointer)
      return pointer === undefined ? [] : [{ pointer, reason: error.reason }]
    })
    if (!first) return { ok: false, errors: tried.errors }
    left.push(first)
    rest = without(rest, first.pointer)
  }
  return { ok: false, errors: left }
}

function attempt(
  draft: unknown,
  render: (spec: ServiceSpec) => RenderResult,
): Pick<Fitted, 'spec' | 'steps'> | { readonly errors: readonly FieldError[] } {
  const parsed = serviceSpec.safeParse(draft)
  if (!parsed.success) {
    return { errors: parsed.error.issues.map(({ path, message }) => ({ pointer: jsonPointer(path), reason: message })) }
  }
  const rendered = render(parsed.data)
  if (rendered.ok) return { spec: parsed.data, steps: rendered.steps }
  const { errors = [], detail } = rendered.failure
  return { errors: errors.length > 0 ? errors : [{ pointer: '', reason: detail }] }
}

/** The part of a draft that an error is about, as far as it is there and may be left out. */
function partAt(draft: unknown, pointer: string): string | undefined {
  if (PORT.test(pointer)) return NEEDS_PORT.find((part) => valueAt(draft, part) !== undefined)
  for (const pattern of PARTS) {
    const part = pattern.exec(pointer)?.[0]
    if (part !== undefined && valueAt(draft, part) !== undefined) return part
  }
  return undefined
}

/** What stands at a pointer of unescaped names; undefined: nothing. */
export function valueAt(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((at, name) => (isMap(at) || Array.isArray(at) ? (at as Fields)[name] : undefined), value)
}

type Fields = Readonly<Record<string, unknown>>

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value without what stands at a pointer; later items of a list move up. */
export function without(value: unknown, pointer: string): unknown {
  const [, name = '', ...more] = pointer.split('/')
  if (Array.isArray(value)) {
    const index = Number(name)
    if (more.length === 0) return value.filter((_, at) => at !== index)
    return value.map((item, at) => (at === index ? without(item, `/${more.join('/')}`) : item))
  }
  if (!isMap(value)) return value
  const { [name]: inner, ...rest } = value
  return more.length === 0 ? rest : { ...rest, [name]: without(inner, `/${more.join('/')}`) }
}
