import { describe, expect, it } from 'vitest'
import { detectMesh } from '../../../src/clusters/detect-mesh.ts'
import { crd, istiod } from '../fakes/fake-clusters.ts'

const ISTIO = crd('virtualservices.networking.istio.io')
const GATEWAY = crd('httproutes.gateway.networking.k8s.io', {
  'gateway.networking.k8s.io/bundle-version': 'v1.4.0',
  'gateway.networking.k8s.io/channel': 'standard',
})

describe('which mesh a cluster has', () => {
  it.each([
    ['virtualservices.networking.istio.io', 'istio'],
    ['servers.policy.linkerd.io', 'linkerd'],
    ['servicesplitters.consul.hashicorp.com', 'consul'],
    ['meshconfigs.config.openservicemesh.io', 'osm'],
    ['httproutes.gateway.networking.k8s.io', 'gateway-api'],
  ])('shows in the CRD %s: %s', (name, provider) => {
    expect(detectMesh([crd('things.example.com'), crd(name)], [])).toEqual({ provider })
  })

  it('is none without such a CRD', () => {
    expect(detectMesh([crd('things.example.com')], [])).toBeUndefined()
  })

  it('is Istio before Gateway API, whose bundle is told', () => {
    expect(detectMesh([GATEWAY, ISTIO], [])).toEqual({
      provider: 'istio',
      gatewayApi: { bundle: 'v1.4.0', channel: 'standard' },
    })
  })

  it('is the one that the registration names, if it is there', () => {
    expect(detectMesh([GATEWAY, ISTIO], [], 'gateway-api')?.provider).toBe('gateway-api')
    expect(detectMesh([GATEWAY, ISTIO], [], 'linkerd')).toBeUndefined()
  })
})

describe('the revision of Istio', () => {
  it('is that of the newest control plane, its numbers compared as numbers', () => {
    const planes = ['asm-1-9', 'asm-1-10', 'asm-1-8'].map((rev) => istiod('aks-istio-system', `istiod-${rev}`, rev))
    expect(detectMesh([ISTIO], planes)).toMatchObject({ namespace: 'aks-istio-system', revision: 'asm-1-10' })
  })

  it('is that of the AKS add-on before any other', () => {
    const planes = [istiod('istio-system', 'istiod', 'z-9'), istiod('aks-istio-system', 'istiod-asm-1-29', 'asm-1-29')]
    expect(detectMesh([ISTIO], planes)).toMatchObject({ revision: 'asm-1-29' })
  })

  it('is default without the label, and the version is the image’s', () => {
    expect(detectMesh([ISTIO], [istiod('istio-system', 'istiod')])).toEqual({
      provider: 'istio',
      namespace: 'istio-system',
      revision: 'default',
      version: '1.30.2',
    })
  })

  it.each([
    ['mcr.microsoft.com/oss/istio/pilot:1.30.2-distroless', '1.30.2-distroless'],
    ['registry:5000/istio/pilot:v1.29.0@sha256:abc', '1.29.0'],
    ['registry:5000/istio/pilot', undefined],
    ['registry:5000/istio/pilot@sha256:abc', undefined],
    ['registry/istio/pilot:latest', undefined],
  ])('of image %s is %s', (image, version) => {
    expect(detectMesh([ISTIO], [istiod('istio-system', 'istiod', 'default', image)])?.version).toBe(version)
  })

  it('is not taken from what only bears the label of istiod', () => {
    expect(detectMesh([ISTIO], [istiod('istio-system', 'ztunnel')])).toEqual({ provider: 'istio' })
  })
})
