import { breach } from './breach.ts'
import { certificateScan } from './certificate-scan.ts'
import { chatAnswers } from './chat-answers.ts'
import { clusterPlan } from './cluster-plan.ts'
import { coldStart } from './cold-start.ts'
import { describeFigure, type Figure } from './figure.ts'
import { inFlight } from './in-flight.ts'
import { kubernetesRequests } from './kubernetes-requests.ts'
import { meshCa } from './mesh-ca.ts'
import { osmMigration } from './osm-migration.ts'
import { policyChange } from './policy-change.ts'
import { pureFunctions } from './pure-functions.ts'

/** `npm run bench [-- NAME]`: prints the figures; ends with 1 when one exceeds its limit. */
const ALL: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  'cold-start': coldStart,
  'kubernetes-requests': kubernetesRequests,
  'certificate-scan': certificateScan,
  'policy-change': policyChange,
  'cluster-plan': clusterPlan,
  'chat-answers': chatAnswers,
  'pure-functions': pureFunctions,
  'osm-migration': osmMigration,
  'in-flight': inFlight,
  breach,
  'mesh-ca': meshCa,
}

const wanted = process.argv.slice(2)
for (const [name, measure] of Object.entries(ALL)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  for (const figure of await measure()) {
    console.log(describeFigure(figure))
    if (figure.limit !== undefined && figure.value > figure.limit) process.exitCode = 1
  }
}
