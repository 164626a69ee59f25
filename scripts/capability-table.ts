import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILT_PROVIDERS, CAPABILITIES } from '../src/mesh/capabilities.ts'
import type { Capability } from '../src/mesh/capability.ts'
import { FEATURES } from '../src/mesh/features.ts'
import { PROVIDERS, type ProviderName } from '../src/model/cluster.ts'
import { SEEN_ON_ISTIO } from '../test/real/seen-in-traffic.ts'

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
built yet (\`NotBuilt\`). What the fields mean is in [policy.md](policy.md). \`seen\`: real sidecars were seen to do
it, [below](#seen-in-real-traffic); the rest of what is rendered is checked by a real API server with the mesh's definitions, and on Istio by istiod's own webhook.

${table()}

${PROVIDERS.filter((name) => BUILT_PROVIDERS.includes(name))
  .map(words)
  .join('\n\n')}

## Seen in real traffic

A mesh of a real istiod and Envoy sidecars, by \`npm run test:real -- TEST\`. Of other meshes no proxy has run yet.

${seen()}
`
}

function seen(): string {
  const rows = Object.entries(SEEN_ON_ISTIO).map(
    ([test, features]) => `| \`${test}\` | ${features.map((feature) => `\`${feature}\``).join(', ')} |`,
  )
  return ['| test | fields on istio |', '|---|---|', ...rows].join('\n')
}

const SEEN: ReadonlySet<string> = new Set(Object.values(SEEN_ON_ISTIO).flat())

function table(): string {
  const rows = FEATURES.map((feature) => {
    const cells = PROVIDERS.map((name) => {
      const marked = name === 'istio' && SEEN.has(feature) ? ', seen' : ''
      return `${shown(CAPABILITIES[name][feature])}${marked}`
    })
    return `| \`${feature}\` | ${cells.join(' | ')} |`
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
