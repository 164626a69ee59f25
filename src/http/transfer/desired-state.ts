import * as z from 'zod'
import { certificateSpec } from '../../model/certificate.ts'
import { clusterSpec } from '../../model/cluster.ts'
import { freezeSpec } from '../../model/freeze.ts'
import { linkerdIdentitySpec, meshCaSpec } from '../../model/mesh-ca.ts'
import { dnsLabel } from '../../model/names.ts'
import { sharedPolicySpec } from '../../model/policy/shared-policy.ts'
import { serviceSpec } from '../../model/service.ts'
import { strategySpec } from '../../model/strategy.ts'
import { teamSpec } from '../../model/team.ts'

const most = 10_000

/** What users own, whole: answer of GET /export and body of POST /import. Progress and history are not in it. */
export const desiredState = z
  .strictObject({
    schema: z.literal(1).describe('Version of this form'),
    exportedAt: z.iso.datetime().optional().describe('For people'),
    teams: z
      .array(teamSpec.safeExtend({ name: dnsLabel }))
      .max(most)
      .default([]),
    strategies: z
      .array(strategySpec.safeExtend({ name: dnsLabel }))
      .max(most)
      .default([]),
    freezes: z
      .array(freezeSpec.safeExtend({ name: dnsLabel }))
      .max(most)
      .default([]),
    policies: z
      .array(sharedPolicySpec.safeExtend({ name: dnsLabel }))
      .max(most)
      .default([]),
    clusters: z
      .array(clusterSpec.safeExtend({ name: dnsLabel }))
      .max(most)
      .default([]),
    certificates: z
      .array(certificateSpec.safeExtend({ name: dnsLabel }))
      .max(most)
      .default([]),
    meshCas: z
      .array(
        z.discriminatedUnion('purpose', [
          meshCaSpec.safeExtend({ name: dnsLabel }),
          linkerdIdentitySpec.safeExtend({ name: dnsLabel }),
        ]),
      )
      .max(most)
      .default([]),
    services: z
      .array(
        serviceSpec.safeExtend({
          namespace: dnsLabel,
          name: dnsLabel,
          stable: z.record(dnsLabel, dnsLabel).default({}).describe('The stable version by cluster'),
        }),
      )
      .max(most)
      .default([]),
  })
  .superRefine((state, context) => {
    for (const kind of ['teams', 'strategies', 'freezes', 'policies', 'clusters'] as const) {
      refuseTwins(
        context,
        kind,
        state[kind].map(({ name }) => name),
      )
    }
    // A name is a certificate's or a mesh CA's.
    const certificates = state.certificates.map(({ name }) => name)
    refuseTwins(context, 'certificates', certificates)
    const cas = state.meshCas.map(({ name }) => name)
    refuseTwins(context, 'meshCas', [...certificates, ...cas], certificates.length)
    refuseTwins(
      context,
      'services',
      state.services.map(({ namespace, name }) => `${namespace}/${name}`),
    )
    for (const [index, { stable, versions }] of state.services.entries()) {
      for (const [cluster, version] of Object.entries(stable)) {
        if (Object.hasOwn(versions, version)) continue
        const path = ['services', index, 'stable', cluster]
        context.addIssue({ code: 'custom', path, message: 'must be one of versions' })
      }
    }
  })
export type DesiredState = z.infer<typeof desiredState>

/** `first`: the names before it are of another list. */
function refuseTwins(context: z.RefinementCtx, kind: string, names: readonly string[], first = 0): void {
  const seen = new Set<string>(names.slice(0, first))
  for (const [index, name] of names.slice(first).entries()) {
    if (!seen.has(name)) {
      seen.add(name)
      continue
    }
    context.addIssue({ code: 'custom', path: [kind, index, 'name'], message: `${name} stands twice` })
  }
}
