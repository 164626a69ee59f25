import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../src/model/kube.ts'
import { findOverlaps } from '../../../src/reconcile/find-overlaps.ts'
import { autoscaler, budget, deployment } from './workloads.ts'

const V1 = { app: 'web', version: 'v1' }
const V2 = { app: 'web', version: 'v2' }
const APP = { matchLabels: { app: 'web' } }
const [web1, web2] = [deployment('web-v1', V1), deployment('web-v2', V2)]
/** Of another service in the same namespace; its selector is as wide as can be. */
const other = deployment('pay', { app: 'pay', version: 'blue' }, {})

interface Row {
  readonly it: string
  readonly deployments?: readonly KubeObject[]
  readonly autoscalers?: readonly KubeObject[]
  readonly budgets?: readonly KubeObject[]
  /** Parts of the words of the refusal; none: it is not refused. */
  readonly refused?: readonly string[]
  readonly warned?: readonly string[]
}

function check(rows: readonly Row[]): void {
  it.each(rows)('$it', ({ deployments = [web1, web2], autoscalers = [], budgets = [], refused, warned = [] }) => {
    const [stable, candidate] = [
      { name: 'v1', labels: { version: 'v1' } },
      { name: 'v2', labels: { version: 'v2' } },
    ]
    const found = findOverlaps({ deployments, autoscalers, budgets, unseen: [] }, stable, candidate)
    if (refused === undefined) expect(found).not.toHaveProperty('overlap')
    for (const words of refused ?? []) expect(found.overlap).toContain(words)
    expect(found.warnings).toHaveLength(warned.length > 0 ? 1 : 0)
    for (const words of warned) expect(found.warnings[0]).toContain(words)
    const turned = { deployments: deployments.toReversed(), autoscalers: autoscalers.toReversed() }
    expect(
      findOverlaps({ ...turned, budgets: budgets.toReversed(), unseen: [] }, stable, candidate),
      'whatever the order of lists',
    ).toEqual(found)
  })
}

describe('Deployments', () => {
  check([
    { it: 'that select their own Pods are apart' },
    { it: 'that are not there are apart', deployments: [] },
    { it: 'of one version alone are apart', deployments: [deployment('web-v1', V1, APP)] },
    {
      it: 'of the stable version that also select the candidate’s Pods are refused',
      deployments: [deployment('web-v1', V1, APP), web2],
      refused: ['Deployment shop/web-v1 (v1) also takes the Pods of Deployment shop/web-v2 (v2)', 'anew'],
    },
    {
      it: 'of the candidate that also select stable’s Pods are refused',
      deployments: [web1, deployment('web-v2', V2, { matchExpressions: [{ key: 'version', operator: 'Exists' }] })],
      refused: ['Deployment shop/web-v2 (v2) also takes the Pods of Deployment shop/web-v1 (v1)'],
    },
    {
      it: 'that select by a label of their own beside the app are apart',
      deployments: [
        deployment('web-v1', { ...V1, track: 'stable' }, { matchLabels: { app: 'web', track: 'stable' } }),
        deployment('web-v2', { ...V2, track: 'canary' }, { matchLabels: { app: 'web', track: 'canary' } }),
      ],
    },
    { it: 'of other services do not count, however wide they select', deployments: [web1, web2, other] },
    {
      it: 'of other versions do not count',
      deployments: [web1, web2, deployment('web-v0', { app: 'web', version: 'v0' }, APP)],
    },
    {
      it: 'of the same version may overlap',
      deployments: [web1, deployment('web-v1b', V1), web2],
    },
    {
      it: 'are refused when any of several overlaps',
      deployments: [web1, deployment('web-v1b', V1, APP), web2],
      refused: ['Deployment shop/web-v1b (v1)'],
    },
  ])

  it('whose Pods bear the labels of both versions are refused', () => {
    const both = deployment('web', { version: 'v1', track: 'canary' })
    const found = findOverlaps(
      { deployments: [both], autoscalers: [], budgets: [], unseen: [] },
      { name: 'v1', labels: { version: 'v1' } },
      { name: 'v2', labels: { track: 'canary' } },
    )
    expect(found.overlap).toContain('The Pods of Deployment shop/web bear the labels of both v1 and v2')
  })
})

describe('autoscalers', () => {
  check([
    { it: 'one a version are apart', autoscalers: [autoscaler('a', 'web-v1'), autoscaler('b', 'web-v2')] },
    {
      it: 'two of one version are refused',
      autoscalers: [autoscaler('web', 'web-v2'), autoscaler('keda-web', 'web-v2')],
      refused: ['HorizontalPodAutoscaler shop/keda-web and HorizontalPodAutoscaler shop/web', 'Deployment shop/web-v2'],
    },
    {
      it: 'of things that are no Deployment of the versions do not count',
      deployments: [web1, web2, other],
      autoscalers: [
        autoscaler('a', 'pay'),
        autoscaler('b', 'pay'),
        autoscaler('c', 'web-v1', 'StatefulSet'),
        autoscaler('d', 'web-v1'),
      ],
    },
  ])
})

describe('disruption budgets', () => {
  check([
    { it: 'one a version are apart', budgets: [budget('a', V1), budget('b', V2)] },
    { it: 'of one version, however many, are not the rollout’s', budgets: [budget('a', V1), budget('b', V1)] },
    {
      it: 'one for both versions is a warning',
      budgets: [budget('web', { app: 'web' })],
      warned: ['PodDisruptionBudget shop/web takes the Pods of both v1 and v2'],
    },
    {
      it: 'one for both versions and one for the candidate are refused, for no Pod of it could be evicted',
      budgets: [budget('web', { app: 'web' }), budget('web-v2', V2)],
      refused: ['PodDisruptionBudget shop/web takes', 'PodDisruptionBudget shop/web-v2 takes them too'],
    },
    {
      it: 'two for both versions are refused',
      budgets: [budget('web', { app: 'web' }), budget('all', {})],
      refused: ['PodDisruptionBudget shop/all', 'PodDisruptionBudget shop/web'],
    },
    { it: 'without a selector take no Pods', budgets: [budget('none', null), budget('web-v1', V1)] },
  ])
})

it('says what could not be seen as a warning', () => {
  const version = { name: 'v1', labels: { version: 'v1' } }
  const workloads = { deployments: [], autoscalers: [], budgets: [], unseen: ['no right to look'] }
  expect(findOverlaps(workloads, version, { name: 'v2', labels: { version: 'v2' } })).toEqual({
    warnings: ['no right to look'],
    unseen: ['no right to look'],
  })
})
