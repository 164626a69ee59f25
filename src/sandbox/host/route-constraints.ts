/** Says whether a parameter's value fits. */
export type Constraint = (value: string) => boolean

const plain: Readonly<Record<string, Constraint>> = {
  int: (value) => /^[+-]?\d+$/.test(value) && Math.abs(Number(value)) <= 2 ** 31 - 1,
  long: (value) => /^[+-]?\d{1,19}$/.test(value),
  bool: (value) => /^(true|false)$/i.test(value),
  guid: (value) => /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
}

const withNumbers: Readonly<Record<string, (a: number, b: number) => Constraint>> = {
  length: (a, b) => (value) => value.length >= a && value.length <= b,
  minlength: (a) => (value) => value.length >= a,
  maxlength: (a) => (value) => value.length <= a,
  min: (a) => (value) => /^-?\d+$/.test(value) && Number(value) >= a,
  max: (a) => (value) => /^-?\d+$/.test(value) && Number(value) <= a,
  range: (a, b) => (value) => /^-?\d+$/.test(value) && Number(value) >= a && Number(value) <= b,
}

/**
 * A constraint of a route template, `int` or `length(1,5)` or `regex(^a+$)`, as ASP.NET Core names them. Throws for a name
 * that it does not know, as Azure does.
 */
export function parseConstraint(text: string): Constraint {
  const [, name = text, argument] = /^(\w+)(?:\((.*)\))?$/.exec(text) ?? []
  const simple = plain[name]
  if (simple && argument === undefined) return simple
  if (name === 'regex' && argument !== undefined) {
    const pattern = new RegExp(argument.replaceAll('{{', '{').replaceAll('}}', '}').replaceAll('\\\\', '\\'), 'i')
    return (value) => pattern.test(value)
  }
  const numeric = withNumbers[name]
  const numbers = (argument ?? '').split(',').map(Number)
  const [a, b = a] = numbers
  if (!numeric || argument === undefined || a === undefined || b === undefined || numbers.some(Number.isNaN)) {
    throw new Error(`The local host does not know the route constraint "${text}"`)
  }
  return numeric(a, b)
}
