import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RealVault } from './real-vault.ts'

/** The four texts of a plug-in CA, by the names that they have in the vault and, with `.pem`, in istiod's folder. */
export const CA_PARTS = ['ca-key', 'ca-cert', 'cert-chain', 'root-cert'] as const
export type CaPart = (typeof CA_PARTS)[number]
export type CaTexts = Readonly<Record<CaPart, string>>

/** The four texts in a folder. */
export function readCa(dir: string): CaTexts {
  const texts = CA_PARTS.map((part) => [part, readFileSync(join(dir, `${part}.pem`), 'utf8')])
  return Object.fromEntries(texts) as CaTexts
}

/** Brings the vault's secrets into istiod's folder, as the Secrets Store CSI driver does on AKS. */
export interface CaSyncer {
  /** How often something new was brought. */
  readonly brought: () => number
  stop(): Promise<void>
}

/** Looks every `pollMs`. A vault that does not answer, or lacks one of the four, changes nothing: the next poll looks again. */
export function startCaSyncer(vault: RealVault, dir: string, pollMs: number): CaSyncer {
  let brought = 0
  let ended = false
  let wake: () => void = () => undefined
  const run = async () => {
    while (!ended) {
      const texts = await readAll(vault).catch(() => undefined)
      if (texts && !ended) brought += bring(texts, dir)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  const running = run()
  return {
    brought: () => brought,
    async stop() {
      ended = true
      wake()
      await running
    },
  }
}

async function readAll(vault: RealVault): Promise<CaTexts | undefined> {
  const texts = await Promise.all(CA_PARTS.map((part) => vault.read(part)))
  if (texts.some((text) => text === undefined)) return undefined
  return Object.fromEntries(CA_PARTS.map((part, at) => [part, texts[at]])) as CaTexts
}

/** Each file at once, never half of one: a new one takes the place of the old. */
function bring(texts: CaTexts, dir: string): number {
  const changed = CA_PARTS.filter((part) => texts[part] !== readFileSync(join(dir, `${part}.pem`), 'utf8'))
  for (const part of changed) {
    const path = join(dir, `${part}.pem`)
    writeFileSync(`${path}.new`, texts[part], { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  return changed.length > 0 ? 1 : 0
}
