import { parse } from 'yaml'
import * as z from 'zod'
import type { KubernetesObject } from '../kubernetes/json.ts'

/** One object that a class asks of a vault. */
export interface WantedObject {
  readonly objectName: string
  /** The newest one when it is empty. */
  readonly objectVersion: string
  /** By which the class refers to it. */
  readonly file: string
}

/** A Secret that is to be made of what was fetched. */
export interface WantedSecret {
  readonly name: string
  readonly type: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly data: readonly { readonly objectName: string; readonly key: string }[]
}

export interface ReadClass {
  /** `https://NAME.vault.azure.net`. */
  readonly vault: string
  readonly objects: readonly WantedObject[]
  readonly secrets: readonly WantedSecret[]
}

const texts = z.record(z.string(), z.string()).default({})
const spec = z.object({
  provider: z.literal('azure'),
  parameters: z.object({
    useVMManagedIdentity: z.literal('true'),
    userAssignedIdentityID: z.guid(),
    tenantId: z.guid(),
    keyvaultName: z.string().min(3),
    cloudName: z.literal(['', 'AzurePublicCloud']).default(''),
    objects: z.string(),
  }),
  secretObjects: z
    .array(
      z.object({
        secretName: z.string(),
        type: z.string(),
        labels: texts,
        annotations: texts,
        data: z.array(z.object({ objectName: z.string(), key: z.string() })),
      }),
    )
    .default([]),
})
const listed = z.object({ array: z.array(z.string()) })
// Other types give no key; the sandbox's vault gives none of them out.
const object = z.object({
  objectName: z.string(),
  objectType: z.literal('secret'),
  objectVersion: z.string().default(''),
  objectAlias: z.string().default(''),
})

/** What a SecretProviderClass of provider azure asks for; undefined when the provider could not read it. */
export function readClass(live: KubernetesObject): ReadClass | undefined {
  const parsed = spec.safeParse(live.spec)
  if (!parsed.success) return undefined
  const { parameters, secretObjects } = parsed.data
  const list = listed.safeParse(parseYaml(parameters.objects))
  const objects = z.array(object).safeParse(list.success ? list.data.array.map(parseYaml) : undefined)
  if (!objects.success) return undefined
  return {
    vault: `https://${parameters.keyvaultName}.vault.azure.net`,
    objects: objects.data.map(({ objectName, objectVersion, objectAlias }) => {
      return { objectName, objectVersion, file: objectAlias || objectName }
    }),
    secrets: secretObjects.map(({ secretName, ...rest }) => ({ name: secretName, ...rest })),
  }
}

function parseYaml(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
