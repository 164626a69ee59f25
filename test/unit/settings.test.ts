import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { APP_ROLES, parseRoles } from '../../src/roles.ts'
import { parseSettings, SettingsError } from '../../src/settings.ts'

const LEAST = {
  MESHWRIGHT_COSMOS__accountEndpoint: 'https://cosmos.example.com',
  MESHWRIGHT_QUEUES__queueServiceUri: 'https://queues.example.com',
  MESHWRIGHT_TENANT_ID: 'tenant',
  MESHWRIGHT_AUDIENCES: 'api://meshwright, 1234',
}
const INSIGHTS =
  'InstrumentationKey=5f0d8a4e-1b7c-4c1e-9a53-6a2f0d1c7b9e;IngestionEndpoint=https://we.in.applicationinsights.azure.com/'

describe('the settings', () => {
  it('are few, and the rest has defaults', () => {
    expect(parseSettings({ ...LEAST, PATH: '/bin', MESHWRIGHT_CLIENT_ID: '' })).toEqual({
      cosmos: { endpoint: 'https://cosmos.example.com', database: 'meshwright' },
      queues: { url: 'https://queues.example.com' },
      createMissing: false,
      auth: {
        tenantId: 'tenant',
        audiences: ['api://meshwright', '1234'],
        issuers: ['https://login.microsoftonline.com/tenant/v2.0', 'https://sts.windows.net/tenant/'],
        jwksUri: 'https://login.microsoftonline.com/tenant/discovery/v2.0/keys',
      },
      outside: { hosts: [], privateAddresses: false },
      caps: { perCluster: 10, inAll: 30 },
      settleMs: 5000,
      telemetry: false,
      hooks: { slack: [], teams: [], alerts: [], keyVault: [] },
    })
  })

  it('may all be given', () => {
    const given = parseSettings({
      ...LEAST,
      MESHWRIGHT_COSMOS_DATABASE: 'other',
      MESHWRIGHT_CREATE_MISSING: 'true',
      MESHWRIGHT_CLIENT_ID: 'client',
      MESHWRIGHT_ISSUERS: 'https://issuer',
      MESHWRIGHT_JWKS_URI: 'https://issuer/keys',
      MESHWRIGHT_PROMETHEUS_URL: 'http://prometheus',
      MESHWRIGHT_OUTSIDE_HOSTS: 'a.example.com , b.example.com,',
      MESHWRIGHT_PRIVATE_ADDRESSES: 'allow',
      MESHWRIGHT_ROLLOUTS_PER_CLUSTER: '3',
      MESHWRIGHT_ROLLOUTS: '7',
      MESHWRIGHT_SETTLE: '250ms',
      MESHWRIGHT_VAULT: 'https://shop.vault.azure.net/',
      MESHWRIGHT_SLACK_BOT_TOKEN: 'xoxb-1',
      MESHWRIGHT_SLACK_SIGNING_SECRET: '0123456789abcdef, fedcba9876543210',
      MESHWRIGHT_TEAMS_SECRETS: 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
      MESHWRIGHT_ALERT_SECRETS: 'a-secret-of-monitors',
      MESHWRIGHT_SERVICE_PRINCIPAL_ID: '00000000-eeee-4000-8000-000000000001',
      MESHWRIGHT_PUBLIC_URL: 'https://mesh.example.com/',
      MESHWRIGHT_LOG_LEVEL: 'warn',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      APPLICATIONINSIGHTS_CONNECTION_STRING: INSIGHTS,
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=client;Authorization=AAD',
    })
    expect(given).toMatchObject({
      cosmos: { database: 'other' },
      createMissing: true,
      clientId: 'client',
      auth: { issuers: ['https://issuer'], jwksUri: 'https://issuer/keys' },
      prometheusUrl: 'http://prometheus',
      outside: { hosts: ['a.example.com', 'b.example.com'], privateAddresses: true },
      caps: { perCluster: 3, inAll: 7 },
      settleMs: 250,
      vaultUrl: 'https://shop.vault.azure.net',
      slackToken: 'xoxb-1',
      hooks: {
        slack: ['0123456789abcdef', 'fedcba9876543210'],
        teams: ['MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY='],
        alerts: ['a-secret-of-monitors'],
      },
      servicePrincipalId: '00000000-eeee-4000-8000-000000000001',
      publicUrl: 'https://mesh.example.com',
      logLevel: 'warn',
      telemetry: { otlp: true, applicationInsights: { connectionString: INSIGHTS, identity: { clientId: 'client' } } },
    })
  })

  it('take connection strings as Azure writes them, with "=" in their keys', () => {
    const { MESHWRIGHT_COSMOS__accountEndpoint: _c, MESHWRIGHT_QUEUES__queueServiceUri: _q, ...rest } = LEAST
    const cosmos = 'AccountEndpoint=https://c:443/;AccountKey=a2V5==;'
    const account =
      'DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5==;EndpointSuffix=core.chinacloudapi.cn'
    expect(parseSettings({ ...rest, MESHWRIGHT_COSMOS: cosmos, MESHWRIGHT_QUEUES: account })).toMatchObject({
      cosmos: { endpoint: 'https://c:443/', key: 'a2V5==' },
      queues: { url: 'https://acc.queue.core.chinacloudapi.cn', account: 'acc', key: 'a2V5==' },
    })
    const local = 'AccountName=acc;AccountKey=a2V5==;QueueEndpoint=http://127.0.0.1:10001/acc;'
    expect(parseSettings({ ...rest, MESHWRIGHT_COSMOS: cosmos, MESHWRIGHT_QUEUES: local }).queues.url).toBe(
      'http://127.0.0.1:10001/acc',
    )
  })

  it('name the identity for Application Insights: none, the one of the system, one of several', () => {
    const told = (authentication?: string) =>
      parseSettings({
        ...LEAST,
        APPLICATIONINSIGHTS_CONNECTION_STRING: INSIGHTS,
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: authentication,
      }).telemetry
    const applicationInsights = { connectionString: INSIGHTS }
    expect(told()).toEqual({ otlp: false, applicationInsights })
    expect(told('Authorization=AAD')).toEqual({
      otlp: false,
      applicationInsights: { ...applicationInsights, identity: {} },
    })
    const identity = { clientId: 'c1' }
    expect(told('Authorization=AAD;ClientId=c1')).toEqual({
      otlp: false,
      applicationInsights: { ...applicationInsights, identity },
    })
    expect(() => told('Authorization=Key')).toThrow(/^APPLICATIONINSIGHTS_AUTHENTICATION_STRING: /)
  })

  it('bring the kubeconfig along', () => {
    const folder = mkdtempSync(join(tmpdir(), 'settings-'))
    try {
      const file = join(folder, 'config')
      writeFileSync(file, 'apiVersion: v1')
      expect(parseSettings({ ...LEAST, MESHWRIGHT_KUBECONFIG_FILE: file }).kubeconfig).toEqual({
        text: 'apiVersion: v1',
        folder,
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.each([
    ['MESHWRIGHT_TENANT_ID', undefined],
    ['MESHWRIGHT_AUDIENCES', ' , '],
    ['MESHWRIGHT_COSMOS__accountEndpoint', 'no url'],
    ['MESHWRIGHT_CREATE_MISSING', 'yes'],
    ['MESHWRIGHT_PRIVATE_ADDRESSES', 'true'],
    ['MESHWRIGHT_ROLLOUTS', '-1'],
    ['MESHWRIGHT_ROLLOUTS_PER_CLUSTER', '1.5'],
    ['MESHWRIGHT_SETTLE', '6m'],
    ['MESHWRIGHT_SETTLE', '0ms'],
    ['MESHWRIGHT_KUBECONFIG_FILE', '/nowhere/at/all'],
    ['MESHWRIGHT_SLACK_SIGNING_SECRET', '0123456789abcdef, short'],
    ['MESHWRIGHT_TEAMS_SECRETS', 'this is not base64, as Teams gives it'],
    ['MESHWRIGHT_ALERT_SECRETS', 'short'],
    ['MESHWRIGHT_SERVICE_PRINCIPAL_ID', 'meshwright'],
    ['MESHWRIGHT_LOG_LEVEL', 'loud'],
    ['APPLICATIONINSIGHTS_CONNECTION_STRING', 'IngestionEndpoint=https://we.in.applicationinsights.azure.com/'],
  ])('name the variable that is wrong: %s', (name, value) => {
    expect(() => parseSettings({ ...LEAST, [name]: value })).toThrow(SettingsError)
    expect(() => parseSettings({ ...LEAST, [name]: value })).toThrow(name)
  })

  it('never show a secret in what they complain about', () => {
    const { MESHWRIGHT_COSMOS__accountEndpoint: _, ...rest } = LEAST
    const broken = { ...rest, MESHWRIGHT_COSMOS: 'AccountKey=s3cret' }
    expect(() => parseSettings(broken)).toThrow(/^MESHWRIGHT_COSMOS__accountEndpoint: must be set/)
    expect(() => parseSettings(broken)).not.toThrow(/s3cret/)
    for (const name of ['MESHWRIGHT_SLACK_SIGNING_SECRET', 'MESHWRIGHT_TEAMS_SECRETS', 'MESHWRIGHT_ALERT_SECRETS'])
      expect(() => parseSettings({ ...LEAST, [name]: 's3cret' })).not.toThrow(/s3cret/)
  })
})

describe('the roles of an app', () => {
  it('are all when none is named, else those that are, in the order of the list', () => {
    expect(parseRoles('')).toEqual(APP_ROLES)
    expect(parseRoles(' , ')).toEqual(APP_ROLES)
    expect(parseRoles('work, edge')).toEqual(['work', 'edge'])
  })

  it('are known, or the app does not start', () => {
    expect(() => parseRoles('edge,worker')).toThrow('MESHWRIGHT_ROLES: worker is none of edge, work, lifecycle')
  })
})
