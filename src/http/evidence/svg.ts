type Attributes = Readonly<Record<string, string | number | undefined>>

/** What XML 1.0 cannot hold, however it is written, and other control characters. */
const FORBIDDEN = /[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Any text as it may stand in XML, between tags or in an attribute. */
export function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(FORBIDDEN, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

/** One element. Attributes are escaped, numbers cut to a tenth; `children` are markup already. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? tenth(value) : escapeXml(String(value))}"`)
    .join('')
  const inside = children.join('')
  return inside === '' ? `<${name}${written}/>` : `<${name}${written}>${inside}</${name}>`
}

/** Text at a place. */
export function text(x: number, y: number, words: string, kind: string, anchor?: 'middle' | 'end'): string {
  return element('text', { x, y, class: kind, 'text-anchor': anchor }, escapeXml(words))
}

/** What is shown when the pointer rests on its parent, and read out. */
export function title(words: string): string {
  return element('title', {}, escapeXml(words))
}

type Place = readonly [x: number, y: number]

/** A line through points; one point alone is a dot. */
export function linePath(points: readonly Place[]): string {
  if (points.length === 0) return ''
  const all = points.length === 1 ? [...points, ...points] : points
  return all.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${tenth(x)} ${tenth(y)}`).join('')
}

/** A line that keeps its height until the next point. */
export function stairsPath(points: readonly Place[]): string {
  return points.map(([x, y], index) => (index === 0 ? `M${tenth(x)} ${tenth(y)}` : `H${tenth(x)}V${tenth(y)}`)).join('')
}

/** The area between two lines of the same points. */
export function areaPath(upper: readonly Place[], lower: readonly Place[]): string {
  return upper.length < 2 ? '' : `${linePath([...upper, ...[...lower].reverse()])}Z`
}

/** `words` in at most `most` characters. */
export function shorten(words: string, most: number): string {
  return words.length <= most ? words : `${words.slice(0, most - 1).trimEnd()}…`
}

function tenth(value: number): string {
  return String(Math.round(value * 10) / 10)
}
