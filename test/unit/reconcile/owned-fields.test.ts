import { expect, it } from 'vitest'
import { ownedFields } from '../../../src/reconcile/workloads/owned-fields.ts'

const OURS = {
  'f:metadata': { 'f:labels': { 'f:version': {} }, 'f:annotations': { 'f:note': {} } },
  'f:spec': {
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"web"}': {
            '.': {},
            'f:name': {},
            'f:image': {},
            'f:ports': { 'k:{"containerPort":80}': { '.': {} } },
          },
        },
        'f:finalizers': { 'v:"ours"': {} },
        'f:affinity': {},
      },
    },
  },
}

it('names what a field manager applied, in maps, lists by key and sets, and nothing of others', () => {
  const metadata = {
    name: 'web-v3',
    labels: { version: 'v3', team: 'shop' },
    managedFields: [
      { manager: 'hpa', operation: 'Update', subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      { manager: 'meshwright', operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': {} } },
      { manager: 'meshwright', operation: 'Apply', fieldsV1: OURS },
    ],
  }
  const containers = [
    {
      name: 'web',
      image: 'web:3',
      env: [{ name: 'A' }],
      ports: [{ containerPort: 80, protocol: 'TCP' }, { containerPort: 90 }],
    },
    { name: 'injected', image: 'proxy' },
  ]
  const spec = {
    replicas: 4,
    template: { spec: { containers, finalizers: ['ours', 'theirs'], affinity: { any: [1] } } },
  }
  expect(ownedFields({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }, 'meshwright')).toEqual({
    labels: { version: 'v3' },
    spec: {
      template: {
        spec: {
          containers: [{ name: 'web', image: 'web:3', ports: [{ containerPort: 80, protocol: 'TCP' }] }],
          finalizers: ['ours'],
          affinity: { any: [1] },
        },
      },
    },
  })
})

it('is nothing where the manager applied nothing', () => {
  const metadata = { name: 'web-v3', labels: { version: 'v3' } }
  expect(
    ownedFields({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 4 } }, 'meshwright'),
  ).toEqual({})
})
