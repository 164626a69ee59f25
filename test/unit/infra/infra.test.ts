import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { type Expression, parseBicep, type Statement } from '../../../scripts/bicep/parse-bicep.ts'
import { resourceUses } from '../../../scripts/bicep/resource-uses.ts'
import { CONTAINERS } from '../../../src/adapters/cosmos/cosmos-client.ts'
import {
  DRIVER_ACCESS,
  ENVOY_FILTER_ACCESS,
  GATEWAY_ACCESS,
  IMAGE_ACCESS,
  IMPORT_ACCESS,
  ISTIOD_LOG_ACCESS,
  LINKERD_IDENTITY_ACCESS,
  MESH_ACCESS,
  POLICY_ACCESS,
  REQUIRED_ACCESS,
  RESTART_ACCESS,
  TRUST_ACCESS,
} from '../../../src/clusters/required-access.ts'
import { SETTING_NAMES } from '../../../src/settings.ts'
import { bodyOf, fieldOf, outputsUsed, unknownNames } from './bicep-names.ts'

const ROOT = join(import.meta.dirname, '../../..')
const files = globSync('infra/**/*.bicep', { cwd: ROOT })
  .sort()
  .map((path) => ({ path, statements: parseBicep(readFileSync(join(ROOT, path), 'utf8')) }))
const record = JSON.parse(readFileSync(join(ROOT, 'infra/resource-types.json'), 'utf8')) as {
  types: Record<
    string,
    { properties: Record<string, { values?: readonly string[] }>; required: Record<string, readonly string[]> }
  >
}

type Declared = Extract<Statement, { kind: 'resource' | 'module' }>
const ofKind = (statements: readonly Statement[], kind: 'resource' | 'module'): readonly Declared[] =>
  statements.filter((statement): statement is Declared => statement.kind === kind)
const statementsOf = (path: string): readonly Statement[] => files.find((file) => file.path === path)?.statements ?? []

describe('the Bicep files', () => {
  it.each(files)('$path uses no name that it does not declare', ({ statements }) => {
    expect(unknownNames(statements)).toEqual([])
  })

  it.each(files)('$path sets only properties that the published types have, with values that they take', (file) => {
    const wrong = ofKind(file.statements, 'resource').flatMap((resource) => {
      const type = record.types[resource.target]
      if (!type) return [`${resource.target} is not in infra/resource-types.json: see scripts/read-azure-types.ts`]
      return resourceUses(resource).flatMap(({ path, literal }) => {
        const property = type.properties[path]
        if (!property) return [`${resource.target} ${path} is not in infra/resource-types.json`]
        const taken = literal === undefined || property.values === undefined || property.values.includes(literal)
        return taken ? [] : [`${resource.target} ${path} takes ${property.values?.join(', ')}, not ${literal}`]
      })
    })
    expect(wrong).toEqual([])
  })

  it.each(files)('$path leaves out nothing that the published types require', (file) => {
    const missing = ofKind(file.statements, 'resource').flatMap((resource) => {
      const uses = resourceUses(resource)
      const set = new Set(uses.map(({ path }) => path))
      return uses
        .filter(({ isObject }) => isObject)
        .flatMap(({ path }) =>
          (record.types[resource.target]?.required[path] ?? []).map((name) => (path === '' ? name : `${path}.${name}`)),
        )
        .filter((path) => !set.has(path))
        .map((path) => `${resource.name} lacks ${path}`)
    })
    expect(missing).toEqual([])
  })

  it.each(files)('$path gives its modules what they ask for, and asks them for what they give', (file) => {
    const modules = ofKind(file.statements, 'module')
    const targetOf = (module: Declared): readonly Statement[] => statementsOf(join(dirname(file.path), module.target))
    const wrong = modules.flatMap((module) => {
      const params = targetOf(module).filter((statement) => statement.kind === 'param')
      const body = fieldOf(bodyOf(module.value), 'params')
      const given = body?.kind === 'object' ? body.entries.map(({ key }) => key) : []
      const unknown = given.filter((key) => !params.some(({ name }) => name === key))
      const missing = params.filter(({ name, value }) => value === undefined && !given.includes(name))
      return [...unknown, ...missing.map(({ name }) => name)].map((name) => `${module.name}: ${name}`)
    })
    const lost = outputsUsed(file.statements).filter(({ module, output }) => {
      const target = modules.find(({ name }) => name === module)
      return !target || !targetOf(target).some((one) => one.kind === 'output' && one.name === output)
    })
    expect({ wrong, lost }).toEqual({ wrong: [], lost: [] })
  })

  it('each module is used', () => {
    const used = files.flatMap(({ path, statements }) =>
      ofKind(statements, 'module').map(({ target }) => join(dirname(path), target)),
    )
    expect(files.map(({ path }) => path).filter((path) => path.includes('/modules/') && !used.includes(path))).toEqual(
      [],
    )
  })
})

describe('what the app expects of its surroundings', () => {
  const resources = files.flatMap(({ statements }) => ofKind(statements, 'resource'))

  it('its settings are ones that it reads', () => {
    const keys = statementsOf('infra/modules/app.bicep').flatMap((statement) =>
      statement.kind === 'var' ? keysIn(statement.value) : [],
    )
    const ours = keys.filter((key) => key.startsWith('MESHWRIGHT_'))
    // These two are of the host's triggers and name the identity that they use.
    const known = (key: string): boolean => SETTING_NAMES.includes(key) || /__(credential|clientId)$/.test(key)
    expect(ours.length).toBeGreaterThan(10)
    expect(ours.filter((key) => !known(key))).toEqual([])
  })

  it('sets nothing that Flex Consumption refuses', () => {
    // As the answer of Azure lists them: github.com/Azure/azure-cli/issues/31414.
    const refused =
      /^(ftpsState|use32BitWorkerProcess|preWarmedInstanceCount|netFrameworkVersion|functionsRuntimeScaleMonitoringEnabled|FUNCTIONS_(EXTENSION_VERSION|WORKER_RUNTIME)|WEBSITE_RUN_FROM_PACKAGE)$/
    const source = readFileSync(join(ROOT, 'infra/modules/app.bicep'), 'utf8')
    const keys = [...source.matchAll(/^\s*(\w+):/gm)].map(([, key = '']) => key)
    expect(keys).toContain('http20Enabled')
    expect(keys.filter((key) => refused.test(key))).toEqual([])
  })

  it('every app takes new packages, and only the one that answers HTTP is open besides', () => {
    const [app] = ofKind(statementsOf('infra/modules/app.bicep'), 'resource').filter(({ name }) => name === 'app')
    const inside = (value: Expression | undefined, key: string) => (value ? fieldOf(value, key) : undefined)
    const properties = inside(app ? bodyOf(app.value) : undefined, 'properties')
    const site = inside(properties, 'siteConfig')
    expect(textOf(inside(properties, 'publicNetworkAccess'))).toBe('Enabled')
    expect(textOf(inside(site, 'scmIpSecurityRestrictionsDefaultAction'))).toBe('Allow')
    expect(inside(site, 'ipSecurityRestrictionsDefaultAction')).toMatchObject({ kind: 'choice' })
  })

  it('the containers are those that it makes for itself where it may', () => {
    const made = resources
      .filter(({ target }) => target.startsWith('Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@'))
      .map(({ value }) => textOf(fieldOf(bodyOf(value), 'name')))
      .sort()
    expect(made).toEqual([...CONTAINERS.map(({ id }) => id), 'leases'].sort())
  })

  it('the queues are those of its triggers, each with the one for messages that were given up', () => {
    const queues = statementsOf('infra/modules/storage.bicep').find(
      (statement) => statement.kind === 'var' && statement.name === 'queueNames',
    )
    const names = queues?.value?.kind === 'array' ? queues.value.items.map(textOf) : []
    const queueNames = ['urgent', 'work', 'lifecycle']
    expect(names).toEqual([...queueNames, ...queueNames.map((name) => `${name}-poison`)])
  })

  it.each<readonly [string, typeof REQUIRED_ACCESS]>([
    ['cluster-role', [...REQUIRED_ACCESS, ...POLICY_ACCESS]],
    ['gateway-role', [...GATEWAY_ACCESS, ...DRIVER_ACCESS]],
    ['image-role', IMAGE_ACCESS],
    ['envoy-filter-role', ENVOY_FILTER_ACCESS],
    ['import-role', Object.values(IMPORT_ACCESS).flat()],
    ['trust-role', Object.values(TRUST_ACCESS).flat()],
    ['linkerd-identity-role', LINKERD_IDENTITY_ACCESS],
    ['restart-role', RESTART_ACCESS],
    ...Object.entries(MESH_ACCESS).map(([mesh, rights]) => [`mesh-role-${mesh}`, rights] as const),
  ])('the %s grants what it needs, and no more', (file, rights) => {
    const [role] = parseAllDocuments(readFileSync(join(ROOT, `infra/kubernetes/${file}.yaml`), 'utf8')).map(
      (document) => document.toJS() as { kind: string; rules: Rule[] },
    )
    const granted = (role?.rules ?? []).flatMap(({ apiGroups, resources: kinds, resourceNames = ['*'], verbs }) =>
      apiGroups.flatMap((group) =>
        kinds.flatMap((kind) =>
          resourceNames.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${kind} ${name}`)),
        ),
      ),
    )
    const needed = rights.map(({ verb, group, resource, name = '*' }) => `${verb} ${group}/${resource} ${name}`)
    expect([...new Set(granted)].sort()).toEqual([...new Set(needed)].sort())
  })

  it("the trust-role lets logs be read in istiod's namespace alone, and nothing else there", () => {
    const text = readFileSync(join(ROOT, 'infra/kubernetes/trust-role.yaml'), 'utf8')
    const documents = parseAllDocuments(text).map((one) => one.toJS() as { kind: string; rules?: Rule[] })
    expect(documents.map(({ kind }) => kind)).toEqual(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'])
    const [{ verb, group, resource }] = ISTIOD_LOG_ACCESS as readonly [(typeof ISTIOD_LOG_ACCESS)[number]]
    const name = 'meshwright-istiod-log'
    expect(documents[2]).toMatchObject({ metadata: { name, namespace: 'aks-istio-system' } })
    expect(documents[2]?.rules).toEqual([{ apiGroups: [group], resources: [resource], verbs: [verb] }])
    expect(documents[3]).toMatchObject({ metadata: { namespace: 'aks-istio-system' }, roleRef: { kind: 'Role', name } })
  })

  it('the vaults of mesh CAs are Premium, and none but the app that rotates them may anything there; but Linkerd’s may be read', () => {
    const inVault = ofKind(statementsOf('infra/modules/mesh-ca-vault.bicep'), 'resource')
    const inside = (value: Expression | undefined, ...keys: readonly string[]) =>
      keys.reduce((found, key) => (found ? fieldOf(found, key) : undefined), value)
    const [vault, ...assignments] = inVault.map(({ value }) => bodyOf(value))
    expect(textOf(inside(vault, 'properties', 'sku', 'name'))).toBe('premium')
    expect(assignments.map((one) => inside(one, 'properties', 'principalId'))).toEqual(
      ['officerPrincipalId', 'officerPrincipalId', 'readerPrincipalId'].map((name) => {
        return expect.objectContaining({ kind: 'name', name })
      }),
    )
    const modules = ofKind(statementsOf('infra/main.bicep'), 'module').map(({ value }) => bodyOf(value))
    const readers = modules.flatMap((one) => {
      const reader = inside(one, 'params', 'readerPrincipalId')
      return reader && inside(one, 'params', 'prefix') ? [[textOf(inside(one, 'params', 'prefix')), reader.kind]] : []
    })
    // Of Istio nobody reads: the driver of the cluster does. Of Linkerd the app that writes to clusters.
    expect(readers).toEqual([
      ['kvm', 'string'],
      ['kvl', 'member'],
    ])
  })

  it('azd finds what azure.yaml names', () => {
    const azure = parse(readFileSync(join(ROOT, 'azure.yaml'), 'utf8')) as { infra: { path: string; module: string } }
    expect(statSync(join(ROOT, azure.infra.path, `${azure.infra.module}.bicep`)).isFile()).toBe(true)
    expect(statSync(join(ROOT, 'infra/scripts/deploy-roles.sh')).mode & 0o100).toBe(0o100)
  })

  it('the package goes up as it is: the platform would build what has no sources in it', () => {
    const azure = parse(readFileSync(join(ROOT, 'azure.yaml'), 'utf8')) as { services: { api: object } }
    expect(azure.services.api).toMatchObject({ remoteBuild: false })
    // azd refuses that where .funcignore leaves out node_modules by name; the last line that fits decides.
    const lines = readFileSync(join(ROOT, '.funcignore'), 'utf8').split('\n')
    const about = lines.filter((line) => ['*', 'node_modules', '!node_modules'].includes(line))
    expect(about.at(-1)).toBe('!node_modules')
    expect(lines).toContain('node_modules/**')
  })

  it('the parameters of azd are ones that main.bicep takes', () => {
    const { parameters } = JSON.parse(readFileSync(join(ROOT, 'infra/main.parameters.json'), 'utf8')) as {
      parameters: object
    }
    const params = statementsOf('infra/main.bicep').filter((statement) => statement.kind === 'param')
    const given = Object.keys(parameters)
    expect(given.filter((name) => !params.some((param) => param.name === name))).toEqual([])
    expect(params.filter(({ name, value }) => value === undefined && !given.includes(name))).toEqual([])
  })

  it('the workbook is JSON with queries', () => {
    const { items } = JSON.parse(readFileSync(join(ROOT, 'infra/workbook.json'), 'utf8')) as { items: unknown[] }
    expect(items.length).toBeGreaterThan(3)
  })
})

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

function keysIn(value: Expression): readonly string[] {
  if (value.kind === 'object') return value.entries.map(({ key }) => key)
  return value.kind === 'choice' ? [...keysIn(value.then), ...keysIn(value.else)] : []
}

function textOf(value: Expression | undefined): string {
  return value?.kind === 'string' ? value.text : ''
}
