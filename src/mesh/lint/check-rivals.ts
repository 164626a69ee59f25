import { describeRef, refOf } from '../../model/kube.ts'
import { DESTINATION_RULE, VIRTUAL_SERVICE } from '../istio/names.ts'
import type { LintCode } from './codes.ts'
import { type Finding, finding } from './finding.ts'
import type { Desired, Seen } from './subject.ts'

/** Objects of others that speak for the service too. */
export function checkRivals({ namespace, name }: Desired, { rivals }: Seen): readonly Finding[] {
  return rivals.map((rival) => {
    const object = describeRef(refOf(rival))
    const code: LintCode =
      rival.kind === VIRTUAL_SERVICE.kind
        ? 'HostClaimed'
        : rival.kind === DESTINATION_RULE.kind
          ? 'DestinationRuleTwice'
          : 'ClaimedByOthers'
    return finding(code, `${object} is for ${namespace}/${name} too, and would decide beside ours.`, { object })
  })
}
