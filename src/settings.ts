import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import * as z from 'zod'
import { durationBetween, durationMs } from './model/names.ts'
import type { LogLevel } from './ports/logger.ts'

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )

/** Several while one takes the place of another. */
function secrets(form: RegExp, message: string) {
  return list.refine((all) => all.every((one) => form.test(one)), message)
}

const wholeNumber = z
  .string()
  .regex(/^\d{1,6}$/, 'must be a whole number')
  .transform(Number)

/** The environment variables of the app. docs/configuration.md describes each. */
const environment = z.object({
  /** A connection string, or with the suffix `__accountEndpoint` an endpoint for the managed identity. */
  MESHWRIGHT_COSMOS: z.string().optional(),
  MESHWRIGHT_COSMOS__accountEndpoint: z.url().optional(),
  MESHWRIGHT_COSMOS_DATABASE: z.string().min(1).default('meshwright'),
  MESHWRIGHT_QUEUES: z.string().optional(),
  MESHWRIGHT_QUEUES__queueServiceUri: z.url().optional(),
  /** `true` creates database, containers and queues at first use: for the local host. */
  MESHWRIGHT_CREATE_MISSING: z.enum(['true', 'false']).default('false'),
  MESHWRIGHT_CLIENT_ID: z.string().optional(),
  MESHWRIGHT_TENANT_ID: z.string().min(1),
  MESHWRIGHT_AUDIENCES: list.pipe(z.array(z.string()).min(1, 'must name at least one audience')),
  /** Left out: the v1 and v2 issuers of the tenant. */
  MESHWRIGHT_ISSUERS: list,
  /** Left out: Entra's keys of the tenant. */
  MESHWRIGHT_JWKS_URI: z.url().optional(),
  MESHWRIGHT_KUBECONFIG_FILE: z.string().optional(),
  /** For clusters that name no metrics source. */
  MESHWRIGHT_PROMETHEUS_URL: z.url().optional(),
  MESHWRIGHT_OUTSIDE_HOSTS: list,
  MESHWRIGHT_PRIVATE_ADDRESSES: z.enum(['allow', 'refuse']).default('refuse'),
  MESHWRIGHT_ROLLOUTS_PER_CLUSTER: wholeNumber.default(10),
  MESHWRIGHT_ROLLOUTS: wholeNumber.default(30),
  /** Key Vault of certificates that name none, and of the secrets that channels name. */
  MESHWRIGHT_VAULT: z
    .string()
    .regex(/^https:\/\/[a-z0-9-]{3,24}\.vault\.azure\.net\/?$/, 'must be of the form https://NAME.vault.azure.net')
    .transform((url) => url.replace(/\/$/, ''))
    .optional(),
  /** The bot's token, `xoxb-…`: to post into channels of Slack. */
  MESHWRIGHT_SLACK_BOT_TOKEN: z.string().min(1).optional(),
  /** Where people reach this Meshwright: for links in messages. */
  MESHWRIGHT_PUBLIC_URL: z.url({ protocol: /^https$/, error: 'must begin with https://' }).optional(),
  /** Base URL of emulators that stand in for Azure's public addresses; loopback only. For the local host. */
  MESHWRIGHT_EMULATED_AZURE: z
    .url({ protocol: /^http$/, hostname: /^(127\.0\.0\.1|\[::1\]|localhost)$/, error: 'must be http:// on loopback' })
    .optional(),
  MESHWRIGHT_SETTLE: durationBetween('1ms', '5m').default('5s'),
  /** The least level of log lines that are written. */
  MESHWRIGHT_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).optional(),
  /** Where OpenTelemetry's exporters send traces, metrics and log lines; they read it themselves. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** Application Insights, to which the same is sent. */
  APPLICATIONINSIGHTS_CONNECTION_STRING: z
    .string()
    .regex(
      /(^|;)\s*InstrumentationKey\s*=\s*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*(;|$)/i,
      'must name an InstrumentationKey',
    )
    .optional(),
  /** `Authorization=AAD` or `ClientId=…;Authorization=AAD`: by which identity, where Application Insights takes no keys. */
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z.string().optional(),
  MESHWRIGHT_SLACK_SIGNING_SECRET: secrets(/^.{16,200}$/, 'must hold secrets of at least 16 characters'),
  MESHWRIGHT_TEAMS_SECRETS: secrets(/^[A-Za-z0-9+/]{22,200}={0,2}$/, 'must hold security tokens as Teams gives them'),
  /** What subscriptions of Event Grid send along in the header x-meshwright-key. */
  MESHWRIGHT_EVENT_GRID_KEY: secrets(/^[\x21-\x7e]{16,200}$/, 'must hold keys of at least 16 characters'),
  MESHWRIGHT_ALERT_SECRETS: secrets(/^[\x21-\x7e]{16,200}$/, 'must hold secrets of at least 16 characters'),
  /** Object id of this API's enterprise application. */
  MESHWRIGHT_SERVICE_PRINCIPAL_ID: z.guid().optional(),
})

/** Every variable that is read here. */
export const SETTING_NAMES: readonly string[] = [...Object.keys(environment.shape), 'MESHWRIGHT_ROLES']

export interface TelemetryTargets {
  /** To an OpenTelemetry collector: its exporters read where it is from their own variables. */
  readonly otlp: boolean
  readonly applicationInsights?: {
    readonly connectionString: string
    /** Whose token goes along; without it the connection string is enough. `clientId` left out: the system's identity. */
    readonly identity?: { readonly clientId?: string }
  }
}

export interface Settings {
  readonly cosmos: { readonly endpoint: string; readonly database: string; readonly key?: string }
  readonly queues: { readonly url: string; readonly account?: string; readonly key?: string }
  readonly createMissing: boolean
  /** Client id of the user-assigned managed identity. */
  readonly clientId?: string
  readonly auth: {
    readonly tenantId: string
    readonly audiences: readonly string[]
    readonly issuers: readonly string[]
    readonly jwksUri: string
  }
  readonly kubeconfig?: { readonly text: string; readonly folder: string }
  /** Prometheus of clusters that name no metrics source. */
  readonly prometheusUrl?: string
  readonly outside: { readonly hosts: readonly string[]; readonly privateAddresses: boolean }
  readonly caps: { readonly perCluster: number; readonly inAll: number }
  /** How long a write is given to reach the proxies before it counts as live. */
  readonly settleMs: number
  /** The least level of log lines that are written; `info` when left out. */
  readonly logLevel?: LogLevel
  /** Where traces, metrics and log lines are exported to; false: nowhere, and none are made. */
  readonly telemetry: false | TelemetryTargets
  /** By what callers of hooks prove themselves; none: the hook lets nobody in. */
  readonly hooks: {
    readonly slack: readonly string[]
    readonly teams: readonly string[]
    readonly alerts: readonly string[]
    readonly keyVault: readonly string[]
  }
  /** Enterprise application whose app roles people hold; without it nobody in chat is known. */
  readonly servicePrincipalId?: string
  /** The bot's token: to post into channels of Slack. */
  readonly slackToken?: string
  /** Where people reach this Meshwright, without a slash at its end: for links in messages. */
  readonly publicUrl?: string
  /** Key Vault of certificates that name none: `https://NAME.vault.azure.net`. */
  readonly vaultUrl?: string
  /** Where calls to Azure go in the local host. */
  readonly emulatedAzure?: string
}

/** Thrown at start: the app cannot run with these settings. Names the variable, never its value. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/** The settings of this process. Throws SettingsError. */
export function loadSettings(): Settings {
  return parseSettings(process.env)
}

/** Settings from the given variables. Throws SettingsError. */
export function parseSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const parsed = environment.safeParse(
    Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== undefined && isSet(value))),
  )
  if (!parsed.success) {
    throw new SettingsError(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  }
  const values = parsed.data
  const tenantId = values.MESHWRIGHT_TENANT_ID
  const issuers = [`https://login.microsoftonline.com/${tenantId}/v2.0`, `https://sts.windows.net/${tenantId}/`]
  return {
    cosmos: {
      ...cosmosAccount(values.MESHWRIGHT_COSMOS, values.MESHWRIGHT_COSMOS__accountEndpoint),
      database: values.MESHWRIGHT_COSMOS_DATABASE,
    },
    queues: queueAccount(values.MESHWRIGHT_QUEUES, values.MESHWRIGHT_QUEUES__queueServiceUri),
    createMissing: values.MESHWRIGHT_CREATE_MISSING === 'true',
    ...(values.MESHWRIGHT_CLIENT_ID === undefined ? {} : { clientId: values.MESHWRIGHT_CLIENT_ID }),
    auth: {
      tenantId,
      audiences: values.MESHWRIGHT_AUDIENCES,
      issuers: values.MESHWRIGHT_ISSUERS.length === 0 ? issuers : values.MESHWRIGHT_ISSUERS,
      jwksUri: values.MESHWRIGHT_JWKS_URI ?? `https://login.microsoftonline.com/${tenantId}/discovery/v2.0/keys`,
    },
    ...(values.MESHWRIGHT_KUBECONFIG_FILE === undefined
      ? {}
      : { kubeconfig: readKubeconfig(values.MESHWRIGHT_KUBECONFIG_FILE) }),
    ...(values.MESHWRIGHT_PROMETHEUS_URL === undefined ? {} : { prometheusUrl: values.MESHWRIGHT_PROMETHEUS_URL }),
    outside: {
      hosts: values.MESHWRIGHT_OUTSIDE_HOSTS,
      privateAddresses: values.MESHWRIGHT_PRIVATE_ADDRESSES === 'allow',
    },
    caps: { perCluster: values.MESHWRIGHT_ROLLOUTS_PER_CLUSTER, inAll: values.MESHWRIGHT_ROLLOUTS },
    settleMs: durationMs(values.MESHWRIGHT_SETTLE),
    ...(values.MESHWRIGHT_LOG_LEVEL === undefined ? {} : { logLevel: values.MESHWRIGHT_LOG_LEVEL }),
    telemetry: telemetryTargets(
      values.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
      values.APPLICATIONINSIGHTS_CONNECTION_STRING,
      values.APPLICATIONINSIGHTS_AUTHENTICATION_STRING,
    ),
    hooks: {
      slack: values.MESHWRIGHT_SLACK_SIGNING_SECRET,
      teams: values.MESHWRIGHT_TEAMS_SECRETS,
      alerts: values.MESHWRIGHT_ALERT_SECRETS,
      keyVault: values.MESHWRIGHT_EVENT_GRID_KEY,
    },
    ...(values.MESHWRIGHT_SERVICE_PRINCIPAL_ID === undefined
      ? {}
      : { servicePrincipalId: values.MESHWRIGHT_SERVICE_PRINCIPAL_ID }),
    ...(values.MESHWRIGHT_VAULT === undefined ? {} : { vaultUrl: values.MESHWRIGHT_VAULT }),
    ...(values.MESHWRIGHT_SLACK_BOT_TOKEN === undefined ? {} : { slackToken: values.MESHWRIGHT_SLACK_BOT_TOKEN }),
    ...(values.MESHWRIGHT_PUBLIC_URL === undefined
      ? {}
      : { publicUrl: values.MESHWRIGHT_PUBLIC_URL.replace(/\/+$/, '') }),
    ...(values.MESHWRIGHT_EMULATED_AZURE === undefined
      ? {}
      : { emulatedAzure: values.MESHWRIGHT_EMULATED_AZURE.replace(/\/+$/, '') }),
  }
}

/** A reference to a secret that the platform could not resolve keeps its own text, which anyone could guess: it is not set. */
function isSet(value: string): boolean {
  return value !== '' && !value.startsWith('@Microsoft.KeyVault(')
}

/** `A=1;B=2` as Azure writes connection strings. */
function connectionParts(text: string): Readonly<Record<string, string>> {
  const parts = text.split(';').filter((part) => part.includes('='))
  return Object.fromEntries(
    parts.map((part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1)]),
  )
}

function cosmosAccount(
  connection: string | undefined,
  endpoint: string | undefined,
): { endpoint: string; key?: string } {
  if (endpoint !== undefined) return { endpoint }
  const { AccountEndpoint, AccountKey } = connectionParts(connection ?? '')
  if (AccountEndpoint === undefined || AccountKey === undefined) {
    throw new SettingsError(
      'MESHWRIGHT_COSMOS__accountEndpoint: must be set (or MESHWRIGHT_COSMOS with AccountEndpoint and AccountKey)',
    )
  }
  return { endpoint: AccountEndpoint, key: AccountKey }
}

function queueAccount(connection: string | undefined, uri: string | undefined): Settings['queues'] {
  if (uri !== undefined) return { url: uri }
  const {
    QueueEndpoint,
    AccountName,
    AccountKey,
    EndpointSuffix = 'core.windows.net',
  } = connectionParts(connection ?? '')
  if (AccountName === undefined || AccountKey === undefined) {
    throw new SettingsError(
      'MESHWRIGHT_QUEUES__queueServiceUri: must be set (or MESHWRIGHT_QUEUES with AccountName and AccountKey)',
    )
  }
  return {
    url: QueueEndpoint ?? `https://${AccountName}.queue.${EndpointSuffix}`,
    account: AccountName,
    key: AccountKey,
  }
}

function telemetryTargets(
  otlp: boolean,
  connectionString: string | undefined,
  authentication: string | undefined,
): Settings['telemetry'] {
  if (connectionString === undefined) return otlp && { otlp }
  const { Authorization, ClientId } = connectionParts(authentication ?? '')
  if (Authorization === undefined) return { otlp, applicationInsights: { connectionString } }
  if (Authorization !== 'AAD') {
    throw new SettingsError('APPLICATIONINSIGHTS_AUTHENTICATION_STRING: Authorization must be AAD')
  }
  const identity = ClientId === undefined ? {} : { clientId: ClientId }
  return { otlp, applicationInsights: { connectionString, identity } }
}

function readKubeconfig(file: string): { text: string; folder: string } {
  try {
    return { text: readFileSync(file, 'utf8'), folder: dirname(file) }
  } catch {
    throw new SettingsError(`MESHWRIGHT_KUBECONFIG_FILE: ${file} cannot be read`)
  }
}
