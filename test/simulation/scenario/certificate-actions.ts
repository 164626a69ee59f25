import type { CertificateDocument } from '../../../src/model/documents.ts'
import { pick } from '../faults.ts'
import type { Play } from './actions.ts'
import type { CertificateBody, CertificateLedger } from './certificate-ledger.ts'
import type { GatewayHands } from './gateway-hands.ts'
import { alert, type Message, mention, slash } from './messages.ts'
import type { VaultHands } from './vault-hands.ts'

/** What a story of certificates works with besides. */
export interface CertificatePart {
  readonly ledger: CertificateLedger
  readonly vault: VaultHands
  readonly gateways: GatewayHands
  /** How many chat messages and alerts were sent. */
  readonly messages: { sent: number }
}

export type CertificateAction = (play: Play, part: CertificatePart, name: string, cluster: string) => Promise<void>

/** What may happen to certificates and in chats, with its weight in the choice. */
export const CERTIFICATE_ACTIONS: readonly (readonly [number, CertificateAction])[] = [
  [16, rotate],
  [10, change],
  [4, remove],
  [8, anotherVersion],
  [4, disableNewest],
  [4, refuseToSign],
  [3, takeOperationAway],
  [2, deleteInVault],
  [3, swapKeys],
  [10, completeChain],
  [10, meddleWithSecret],
  [2, loseNamespace],
  [12, chat],
  [6, fireAlert],
  [2, forge],
]

const MORE_HOSTS = ['shop.example.com', 'www.example.com'] as const
const ISSUERS: Readonly<Record<string, object>> = {
  web: { kind: 'self' },
  api: { kind: 'integrated', name: 'DigiCert' },
  pay: { kind: 'external' },
}
export const CERTIFICATES: readonly string[] = Object.keys(ISSUERS)

/** A certificate that is registered first. */
export function certificateBody(name: string, clusters: readonly string[], more: object = {}): CertificateBody {
  return {
    purpose: 'gateway-tls',
    team: 'shop',
    dnsNames: [`${name}.example.com`],
    clusters,
    secret: { namespace: 'edge', name: `${name}-tls` },
    issuer: ISSUERS[name],
    key: { type: 'EC', curve: 'P-256' },
    ...more,
  }
}

async function rotate(play: Play, _part: CertificatePart, name: string): Promise<void> {
  const { client, chance } = play.simulation
  const operation = { method: 'POST', path: `/certificates/${name}/rotate`, as: 'operator' } as const
  const key = `rotate-${play.keys.next}`
  play.keys.next += 1
  const call = () => client.call({ ...operation, key, body: { reason: 'the key may be known' } }, 30)
  const first = await call()
  if (chance.next() > 0.3 || !first.reply || first.reply.status >= 300) return
  // A pipeline that lost its answer asks again, with the same key.
  await client.call({ ...operation, key, body: { reason: 'the key may be known' }, again: true }, 30)
}

async function change(play: Play, { ledger }: CertificatePart, name: string): Promise<void> {
  const { chance } = play.simulation
  const body = ledger.body(name)
  if (!body) return void (await ledger.put(name, certificateBody(name, play.clusters)))
  const some = play.clusters.filter(() => chance.next() < 0.7)
  const hosts = [`${name}.example.com`, ...MORE_HOSTS.filter(() => chance.next() < 0.4)]
  const next = pick(chance, [
    { dnsNames: hosts },
    { dnsNames: hosts },
    { clusters: some },
    { clusters: [...play.clusters] },
    { secret: { namespace: 'edge', name: `${name}-${pick(chance, ['tls', 'tls', 'other', 'foreign'])}` } },
    { renewBefore: pick(chance, ['240h', '480h']) },
    { spread: { atOnce: pick(chance, [1, 2]), pause: pick(chance, ['0s', '40s']) } },
  ])
  await ledger.put(name, { ...body, ...next })
}

async function remove(play: Play, { ledger }: CertificatePart, name: string): Promise<void> {
  const { chance, time } = play.simulation
  await ledger.remove(name)
  if (chance.next() < 0.4) return
  await time.sleep(Math.round(60_000 * chance.next()))
  await ledger.put(name, certificateBody(name, play.clusters))
}

async function anotherVersion({ simulation }: Play, { vault }: CertificatePart, name: string): Promise<void> {
  const { chance, time } = simulation
  if (!(await vault.create(name)) || ISSUERS[name] !== ISSUERS.pay) return
  // Nobody signs this one: it is taken away again.
  await time.sleep(Math.round(60_000 * chance.next()))
  await vault.cancel(name)
}

async function disableNewest({ simulation }: Play, { vault }: CertificatePart, name: string): Promise<void> {
  const { chance, time } = simulation
  if (!(await vault.enable(name, false)) || chance.next() < 0.4) return
  await time.sleep(Math.round(90_000 * chance.next()))
  await vault.enable(name, true)
}

async function refuseToSign({ simulation }: Play, _part: CertificatePart, name: string): Promise<void> {
  const { chance, time, surroundings } = simulation
  surroundings.azure?.refused.add(name)
  await time.sleep(Math.round(120_000 * chance.next()))
  surroundings.azure?.refused.delete(name)
}

async function deleteInVault({ simulation }: Play, { vault }: CertificatePart, name: string): Promise<void> {
  if (!(await vault.remove(name))) return
  await simulation.time.sleep(Math.round(90_000 * simulation.chance.next()))
  await vault.recover(name)
}

/** What another hand imported has another's key: the vault gives what it has. */
async function swapKeys({ simulation }: Play): Promise<void> {
  const { azure } = simulation.surroundings
  if (!azure) return
  azure.wrongKeys = true
  await simulation.time.sleep(Math.round(90_000 * simulation.chance.next()))
  azure.wrongKeys = false
}

async function takeOperationAway({ simulation }: Play, { vault }: CertificatePart, name: string): Promise<void> {
  if (simulation.chance.next() < 0.7) await vault.cancel(name)
}

/** What an external CA makes of the CSR is handed in; sometimes first something that it did not make of it. */
export async function completeChain(play: Play, { vault }: CertificatePart): Promise<void> {
  const { client, chance, watch } = play.simulation
  for (const document of watch.documents.all()) {
    if (document.kind !== 'certificate' || document.rotation?.phase !== 'awaiting-issuer') continue
    const { csr, chain } = document.rotation
    if (csr === undefined || chain !== undefined) continue
    const operation = { method: 'POST', path: `/certificates/${document.name}/complete`, as: 'operator' } as const
    const signed = await vault.sign(csr)
    if (chance.next() < 0.2) {
      const [, ...others] = signed.split(/(?=-----BEGIN)/)
      const called = await client.call({ ...operation, body: { chain: others.join('') } }, 5)
      if (called.reply?.status === 202) watch.broke(`a chain without the leaf of ${document.name} was taken`)
    }
    await client.call({ ...operation, body: { chain: signed } }, 30)
  }
}

async function meddleWithSecret(
  { simulation }: Play,
  { gateways }: CertificatePart,
  name: string,
  cluster: string,
): Promise<void> {
  const { chance, time } = simulation
  const secret = secretOf(simulation.watch.documents.get(`certificate/${name}`) as CertificateDocument | undefined)
  if (secret === undefined) return
  const deed = chance.next()
  if (deed < 0.3) await gateways.removeSecret(cluster, secret)
  else if (deed < 0.5) await gateways.overwrite(cluster, secret)
  else if (deed < 0.65) await gateways.putBack(cluster, secret)
  else if (deed < 0.75) await gateways.foreign(cluster, `${name}-foreign`)
  else if (await gateways.hold(cluster, secret, true)) {
    await time.sleep(Math.round(90_000 * chance.next()))
    await gateways.hold(cluster, secret, false)
  }
}

function secretOf(document: CertificateDocument | undefined): string | undefined {
  return document?.spec.secret.name
}

async function loseNamespace(
  { simulation }: Play,
  { gateways }: CertificatePart,
  _name: string,
  cluster: string,
): Promise<void> {
  await gateways.removeNamespace(cluster)
  await simulation.time.sleep(Math.round(60_000 * simulation.chance.next()))
  gateways.putNamespace(cluster)
}

/** Somebody asks in a chat; the message may come twice, at once or later. */
async function chat(play: Play, { messages }: CertificatePart, name: string): Promise<void> {
  const { simulation } = play
  const { chance, time } = simulation
  messages.sent += 1
  const { namespace, name: service } = pick(chance, play.services)
  const verb = pick(chance, ['rotate', 'rotate', 'rotate', 'pause', 'resume', 'abort', 'promote', 'status', 'help'])
  const about = verb === 'rotate' ? name : `${namespace}/${service}`
  const by = verb === 'rotate' ? pick(chance, ['operator', 'operator', 'deployer'] as const) : 'deployer'
  const message: Message = { id: `m${messages.sent}`, by, text: `${verb} ${about} so be it` }
  const send = chance.next() < 0.5 ? slash : mention
  const copies = chance.next() < 0.4 ? 2 : 1
  for (let copy = 0; copy < copies; copy += 1) {
    const sent = send(simulation, message)
    if (chance.next() < 0.5) await sent
    else play.doing.push(sent.then(() => undefined))
    await time.sleep(Math.round(100 * 1000 ** chance.next()))
  }
}

async function fireAlert(play: Play, { messages }: CertificatePart): Promise<void> {
  const { simulation } = play
  const { chance, time } = simulation
  messages.sent += 1
  const { namespace, name } = pick(chance, play.services)
  const labels = {
    service: `${namespace}/${name}`,
    ...(chance.next() < 0.4 ? { meshwright_action: 'abort' } : {}),
  }
  const id = `Alert${messages.sent}`
  // Monitors tell it until they are heard, and again while it lasts.
  for (let tries = 0; tries < 10; tries += 1) {
    const status = await alert(simulation, id, labels)
    if (status !== undefined && status < 300 && chance.next() < 0.6) return
    await time.sleep(Math.round(20_000 * chance.next()))
  }
}

/** Somebody who does not know the secrets. */
async function forge({ simulation }: Play, { messages }: CertificatePart, name: string): Promise<void> {
  messages.sent += 1
  const message: Message = { id: `m${messages.sent}`, by: 'operator', text: `rotate ${name}` }
  const status = await slash(simulation, message, 'not the signing secret')
  if (status !== undefined && status < 400) simulation.watch.broke(`a forged message was answered ${status}`)
}
