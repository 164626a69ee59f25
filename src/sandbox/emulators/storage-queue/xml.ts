/** An XML document around one element. */
export function xmlDocument(root: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>${root}`
}

/** An element around inner XML; the inner text must be escaped already. */
export function element(name: string, inner: string | number): string {
  return `<${name}>${inner}</${name}>`
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => escapes[character] ?? character)
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' }

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Text with its entities resolved; undefined when one is unknown or a character is none of XML 1.0. */
export function unescapeXml(text: string): string | undefined {
  let isGood = !text.includes('<')
  const plain = text.replace(/&([^;&]*);|&/g, (_, name: string | undefined) => {
    const character = entities[name ?? ''] ?? fromCode(name ?? '')
    isGood &&= character !== undefined
    return character ?? ''
  })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML 1.0 forbids
  return isGood && !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(plain) ? plain : undefined
}

function fromCode(name: string): string | undefined {
  const match = /^#(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))$/.exec(name)
  if (!match) return undefined
  const code = match[1] ? Number.parseInt(match[1], 16) : Number(match[2])
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}
