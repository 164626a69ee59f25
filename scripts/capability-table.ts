import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILT_PROVIDERS, CAPABILITIES } from '../src/mesh/capabilities.ts'
import type { Capability } from '../src/mesh/capability.ts'
import { FEATURES } from '../src/mesh/features.ts'
import { PROVIDERS, type ProviderName } from '../src/model/cluster.ts'

/** Writes docs/capabilities.md from what refusals and GET /capabilities say. A test holds the two together. */
const FILE = join(import.meta.dirname, '..', 'docs', 'capabilities.md')

const SHOWN: Readonly<Record<Capability['support'], string>> = {
  supported: 'yes',
  conditional: 'if',
  refused: 'no',
}

/** The whole page. */
export function capabilitiesPage(): string {
  return `# Capabilities

What each mesh makes of each field of a service, as \`GET /api/v1/capabilities\` tells it too. Written by \`node scripts/capability-table.ts\`; do not edit.

A field that a mesh cannot be given is refused with 422 and the code that stands here; none is dropped. \`if\`: see the conditions below. \`later\`: could be had and is not
built yet (\`NotBuilt\`). What the fields mean is in [policy.md](policy.md).

${table()}

${PROVIDERS.filter((name) => BUILT_PROVIDERS.includes(name))
  .map(words)
  .join('\n\n')}
`
}

function table(): string {
  const rows = FEATURES.map((feature) => {
    return `| \`${feature}\` | ${PROVIDERS.map((name) => shown(CAPABILITIES[name][feature])).join(' | ')} |`
  })
  return [`| field | ${PROVIDERS.join(' | ')} |`, `|---|${PROVIDERS.map(() => '---|').join('')}`, ...rows].join('\n')
}

function shown(capability: Capability): string {
  return capability.support === 'refused' && capability.code === 'NotBuilt' ? 'later' : SHOWN[capability.support]
}

/** Conditions and refusals of one mesh, in the order of the table. */
function words(name: ProviderName): string {
  const rows = FEATURES.flatMap((feature) => {
    const capability = CAPABILITIES[name][feature]
    if (capability.support === 'supported' || shown(capability) === 'later') return []
    const [text, instead] =
      capability.support === 'conditional'
        ? [[capability.condition, requirement(capability)].filter((part) => part !== '').join(' '), '']
        : [`Refused (\`${capability.code}\`): ${capability.reason}`, capability.nearest]
    return [`| \`${feature}\` | ${cell(text)} | ${cell(instead)} |`]
  })
  return [`## ${name}`, '', '| field | condition, or why it is refused | instead |', '|---|---|---|', ...rows].join(
    '\n',
  )
}

function requirement({ requires }: Extract<Capability, { support: 'conditional' }>): string {
  const { gatewayApi, mesh } = requires ?? {}
  return [
    ...(gatewayApi === undefined ? [] : [`Needs the Gateway API bundle ${gatewayApi} or newer.`]),
    ...(mesh === undefined ? [] : [`Needs version ${mesh} of the mesh or newer.`]),
  ].join(' ')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

if (import.meta.main) writeFileSync(FILE, capabilitiesPage())
