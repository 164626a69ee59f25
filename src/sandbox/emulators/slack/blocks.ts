type Fields = Readonly<Record<string, unknown>>

const MOST_BLOCKS = 50
const MOST_ELEMENTS: Readonly<Record<string, number>> = { actions: 25, context: 10 }

/**
 * What Slack would find wrong with blocks, by the limits of its Block Kit reference (https://docs.slack.dev/reference/block-kit);
 * undefined when nothing is. Knows the kinds header, section, context, actions and divider.
 */
export function wrongInBlocks(blocks: unknown): string | undefined {
  if (!Array.isArray(blocks)) return 'blocks: must be an array'
  if (blocks.length > MOST_BLOCKS) return `blocks: no more than ${MOST_BLOCKS} items allowed`
  for (const [index, block] of blocks.entries()) {
    const wrong = wrongInBlock((block ?? {}) as Fields)
    if (wrong !== undefined) return `blocks/${index}: ${wrong}`
  }
  const ids = blocks.flatMap(({ type, elements }: Fields) =>
    type === 'actions' ? (elements as Fields[]).map(({ action_id: id }) => id) : [],
  )
  return new Set(ids).size === ids.length ? undefined : 'action_id: must be unique'
}

function wrongInBlock(block: Fields): string | undefined {
  switch (block.type) {
    case 'divider':
      return undefined
    case 'header':
      return wrongInText(block.text, 150, ['plain_text'])
    case 'section':
      if (block.text === undefined && block.fields === undefined) return 'needs text or fields'
      return wrongInSection(block)
    case 'context':
      return wrongInList(block.elements, MOST_ELEMENTS.context ?? 0, (element) => wrongInText(element, 3000))
    case 'actions':
      return wrongInList(block.elements, MOST_ELEMENTS.actions ?? 0, wrongInButton)
    default:
      return `unsupported type: ${String(block.type)}`
  }
}

function wrongInSection({ text, fields }: Fields): string | undefined {
  const wrong = text === undefined ? undefined : wrongInText(text, 3000)
  if (wrong !== undefined || fields === undefined) return wrong
  return wrongInList(fields, 10, (field) => wrongInText(field, 2000))
}

function wrongInList(list: unknown, most: number, wrong: (item: unknown) => string | undefined): string | undefined {
  if (!Array.isArray(list) || list.length === 0) return 'must hold at least one item'
  if (list.length > most) return `no more than ${most} items allowed`
  return list.map(wrong).find((found) => found !== undefined)
}

function wrongInText(
  text: unknown,
  most: number,
  types: readonly string[] = ['plain_text', 'mrkdwn'],
): string | undefined {
  const { type, text: words, emoji, verbatim } = (text ?? {}) as Fields
  if (!types.includes(String(type))) return `text: must be ${types.join(' or ')}`
  if (typeof words !== 'string' || words.length === 0) return 'text: must be more than 0 characters'
  if (words.length > most) return `text: must be less than ${most + 1} characters`
  if (type === 'mrkdwn' && emoji !== undefined) return 'emoji: goes with plain_text only'
  return type === 'plain_text' && verbatim !== undefined ? 'verbatim: goes with mrkdwn only' : undefined
}

function wrongInButton(element: unknown): string | undefined {
  const { type, text, action_id: id, value, style, confirm } = (element ?? {}) as Fields
  if (type !== 'button') return `unsupported element: ${String(type)}`
  if (id !== undefined && (typeof id !== 'string' || id.length === 0 || id.length > 255)) return 'action_id: too long'
  if (value !== undefined && (typeof value !== 'string' || value.length > 2000)) return 'value: too long'
  if (style !== undefined && style !== 'primary' && style !== 'danger') return 'style: must be primary or danger'
  const wrong = wrongInText(text, 75, ['plain_text'])
  return wrong ?? (confirm === undefined ? undefined : wrongInConfirm(confirm as Fields))
}

function wrongInConfirm({ title, text, confirm, deny }: Fields): string | undefined {
  const plain = ['plain_text']
  return (
    wrongInText(title, 100, plain) ??
    wrongInText(text, 300) ??
    wrongInText(confirm, 30, plain) ??
    wrongInText(deny, 30, plain)
  )
}
