import type { Expression, Statement } from '../../../scripts/bicep/parse-bicep.ts'

/** Functions of Bicep that infra/ uses. */
const FUNCTIONS = [
  'concat',
  'empty',
  'environment',
  'guid',
  'length',
  'loadTextContent',
  'resourceGroup',
  'subscription',
  'subscriptionResourceId',
  'tenant',
  'toLower',
  'union',
  'uniqueString',
]

/** Names that a file uses and does not declare. */
export function unknownNames(statements: readonly Statement[]): readonly string[] {
  const declared = new Set([
    ...FUNCTIONS,
    ...statements.flatMap((statement) => ('name' in statement ? [statement.name] : [])),
  ])
  return statements.flatMap(({ value }) => (value ? namesIn(value, declared) : []))
}

function namesIn(value: Expression, known: ReadonlySet<string>): readonly string[] {
  if (value.kind === 'name') return known.has(value.name) ? [] : [value.name]
  const inside = value.kind === 'loop' ? new Set([...known, ...value.names]) : known
  return childrenOf(value).flatMap((child) => namesIn(child, inside))
}

/** Every `X.outputs.Y` of a file. */
export function outputsUsed(statements: readonly Statement[]): readonly { module: string; output: string }[] {
  const found: { module: string; output: string }[] = []
  const visit = (value: Expression): void => {
    if (value.kind === 'member' && value.of.kind === 'member' && value.of.name === 'outputs') {
      const owner = value.of.of.kind === 'index' ? value.of.of.of : value.of.of
      if (owner.kind === 'name') found.push({ module: owner.name, output: value.name })
    }
    for (const child of childrenOf(value)) visit(child)
  }
  for (const { value } of statements) if (value) visit(value)
  return found
}

/** The object that a module or resource is declared with, whatever stands around it. */
export function bodyOf(value: Expression): Extract<Expression, { kind: 'object' }> {
  if (value.kind === 'object') return value
  if (value.kind === 'loop' || value.kind === 'condition') return bodyOf(value.body)
  throw new TypeError(`${value.kind} is no object`)
}

/** A field of an object expression. */
export function fieldOf(value: Expression, key: string): Expression | undefined {
  return value.kind === 'object' ? value.entries.find((entry) => entry.key === key)?.value : undefined
}

function childrenOf(value: Expression): readonly Expression[] {
  switch (value.kind) {
    case 'object':
      return value.entries.map((entry) => entry.value)
    case 'array':
      return value.items
    case 'string':
    case 'operation':
      return value.parts
    case 'member':
      return [value.of]
    case 'index':
      return [value.of, value.index]
    case 'call':
      return [value.of, ...value.args]
    case 'choice':
      return [value.condition, value.then, value.else]
    case 'loop':
      return [value.over, value.body]
    case 'condition':
      return [value.condition, value.body]
    default:
      return []
  }
}
