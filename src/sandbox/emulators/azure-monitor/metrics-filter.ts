/** Values by dimension, lower case; `undefined` for `*`, any value in a series of its own. */
export type Conditions = ReadonlyMap<string, readonly string[] | undefined>

/**
 * Reads the filter of a metrics query: `A eq 'a' and (B eq 'b1' or B eq 'b2') and C eq '*'`. `or` joins values of one
 * dimension only. Undefined for anything else.
 */
export function parseFilter(filter: string): Conditions | undefined {
  const conditions = new Map<string, readonly string[] | undefined>()
  for (const part of splitOutside(filter, ' and ')) {
    const group = /^\((.*)\)$/s.exec(part.trim())?.[1] ?? part
    const terms = splitOutside(group, ' or ').map(termOf)
    const [first] = terms
    if (!first || terms.some((term) => term?.dimension !== first.dimension)) return undefined
    if (conditions.has(first.dimension)) return undefined
    const values = terms.flatMap((term) => term?.value ?? [])
    conditions.set(first.dimension, values.includes('*') ? undefined : values)
  }
  return conditions
}

function termOf(text: string): { readonly dimension: string; readonly value: string } | undefined {
  const [, dimension, value] = /^\s*([A-Za-z][\w .-]*?) eq '((?:[^']|'')*)'\s*$/s.exec(text) ?? []
  if (dimension === undefined || value === undefined) return undefined
  return { dimension: dimension.toLowerCase(), value: value.replaceAll("''", "'").toLowerCase() }
}

/** Splits at a word that is not inside quotes or parentheses. */
function splitOutside(text: string, word: string): readonly string[] {
  const parts: string[] = []
  let [begin, depth, quoted] = [0, 0, false]
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "'") quoted = !quoted
    else if (!quoted && text[at] === '(') depth += 1
    else if (!quoted && text[at] === ')') depth -= 1
    else if (!quoted && depth === 0 && text.startsWith(word, at)) {
      parts.push(text.slice(begin, at))
      begin = at + word.length
      at = begin - 1
    }
  }
  return [...parts, text.slice(begin)]
}
