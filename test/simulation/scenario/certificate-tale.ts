import type { CertificateDocument } from '../../../src/model/documents.ts'
import type { Simulation } from '../simulation.ts'
import { certificateBody } from './certificate-actions.ts'
import { type CertificateLedger, createCertificateLedger } from './certificate-ledger.ts'
import { createGatewayHands } from './gateway-hands.ts'
import { must, putCluster, putTeam } from './setting.ts'
import { idle, settle } from './settle.ts'
import { checkCalls, checkCertificates } from './settle-certificates.ts'
import { createVaultHands } from './vault-hands.ts'

const HOUR_MS = 3_600_000

/**
 * The tale of certificates for crash points: one is registered and made by the vault, rotated, restored after another hand
 * took it away, and given a host more; another waits for its CA and gets the chain; both are deleted. Each part must end so
 * however often the process dies, and the vault must have made as many versions as were asked for.
 */
export async function certificateTale(simulation: Simulation): Promise<void> {
  const { time, watch } = simulation
  await must(simulation, putTeam(simulation))
  await must(simulation, { ...putCluster(simulation, 'east'), key: 'east' })
  await time.sleep(5000)
  const ledger = createCertificateLedger(simulation, ['web', 'pay'])
  await ledger.put('web', certificateBody('web', ['east']))
  await finish(simulation, ledger, { web: 1 })

  await must(simulation, { method: 'POST', path: '/certificates/web/rotate', as: 'operator', key: 'rotate' })
  await finish(simulation, ledger, { web: 2 })

  await createGatewayHands(simulation).removeSecret('east', 'web-tls')
  await time.sleep(HOUR_MS / 6)
  await finish(simulation, ledger, { web: 2 })

  await ledger.put('web', certificateBody('web', ['east'], { dnsNames: ['web.example.com', 'shop.example.com'] }))
  await finish(simulation, ledger, { web: 3 })

  await ledger.put('pay', certificateBody('pay', ['east']))
  await settle(simulation, HOUR_MS)
  const { rotation } = watch.documents.get('certificate/pay') as CertificateDocument
  if (rotation?.phase !== 'awaiting-issuer') watch.broke(`pay is ${rotation?.phase}, not awaiting-issuer`)
  const chain = await createVaultHands(simulation).sign(rotation?.csr ?? '')
  await must(simulation, { method: 'POST', path: '/certificates/pay/complete', as: 'operator', body: { chain } })
  await finish(simulation, ledger, { web: 3, pay: 1 })

  for (const name of ledger.names) await ledger.remove(name)
  await settle(simulation, HOUR_MS)
  ledger.check()
  await idle(simulation, 60_000)
  checkCertificates(simulation)
  checkCalls(simulation)
}

/** All is delivered, and the vault holds so many versions. */
async function finish(
  simulation: Simulation,
  ledger: CertificateLedger,
  versions: Readonly<Record<string, number>>,
): Promise<void> {
  const { watch } = simulation
  await settle(simulation, HOUR_MS)
  ledger.check()
  checkCertificates(simulation)
  const vault = createVaultHands(simulation)
  for (const [name, wanted] of Object.entries(versions)) {
    const made = vault.record(name)?.versions ?? []
    if (made.length !== wanted) watch.broke(`the vault holds ${made.length} versions of ${name}, not ${wanted}`)
    const { current } = watch.documents.get(`certificate/${name}`) as CertificateDocument
    if (current?.version !== made.at(-1)?.id) watch.broke(`the newest version of ${name} is not current`)
  }
}
