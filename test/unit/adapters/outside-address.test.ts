import { describe, expect, it } from 'vitest'
import { outsideAddresses } from '../../../src/adapters/outside-address.ts'

const names: Readonly<Record<string, readonly string[]>> = {
  'prometheus.example.com': ['93.184.216.34'],
  'inside.example.com': ['10.1.2.3', 'fd12::1'],
  'mixed.example.com': ['10.1.2.3', '93.184.216.34'],
  'rebound.example.com': ['169.254.169.254'],
  'mapped.example.com': ['::ffff:169.254.169.254'],
  'loop.example.com': ['127.0.0.1'],
  'nat64.example.com': ['64:ff9b::a9fe:a9fe'],
  localhost: ['127.0.0.1', '::1'],
}
const lookup = async (host: string) => {
  const found = names[host]
  if (!found) throw new Error('ENOTFOUND')
  return found
}
const hosts = [
  'prometheus.example.com',
  '*.mon.example.com',
  'only.example.com:9090',
  'inside.example.com',
  'rebound.example.com',
  'loop.example.com',
  'nat64.example.com',
  '127.0.0.1',
  '::1',
  '10.9.9.9',
]
const azure = outsideAddresses({ hosts, allowPrivate: false }, lookup)
const local = outsideAddresses({ hosts, allowPrivate: true }, lookup)

describe('in Azure', () => {
  it.each([
    'https://prometheus.example.com/path?x=1',
    'http://PROMETHEUS.example.com.:9090',
    'https://a.b.mon.example.com',
    'https://only.example.com:9090',
    'https://10.9.9.9',
    'https://inside.example.com',
  ])('%s is called: it is in the settings', async (url) => {
    expect(await azure.refusal(url)).toBeUndefined()
  })

  it.each([
    ['https://example.com', 'not among'],
    ['https://mon.example.com', 'not among'],
    ['https://evilmon.example.com', 'not among'],
    ['https://prometheus.example.com.evil.com', 'not among'],
    ['https://only.example.com', 'not among'],
    ['http://localhost:9090', 'not among'],
    ['http://10.1.2.3', 'not among'],
    ['http://user:secret@prometheus.example.com', 'user name'],
    ['http://@prometheus.example.com@evil.com', 'user name'],
    ['ftp://prometheus.example.com', 'http'],
    ['file:///etc/passwd', 'http'],
    ['prometheus.example.com', 'URL'],
    ['', 'URL'],
    ['http://rebound.example.com', 'never called'],
    ['http://nat64.example.com', 'never called'],
    ['http://loop.example.com', 'loopback'],
    ['http://127.0.0.1', 'loopback'],
    ['http://[::1]', 'loopback'],
  ])('%s is not called', async (url, why) => {
    const refusal = await azure.refusal(url)
    expect(refusal).toContain(why)
    expect(refusal).not.toContain('secret')
  })
})

describe('in the local host', () => {
  it.each([
    'http://localhost:9090',
    'http://127.0.0.1:9090',
    'http://[::1]:9090',
    'http://192.168.1.5',
    'http://inside.example.com',
    'https://prometheus.example.com',
    'http://2130706433',
  ])('%s is called', async (url) => {
    expect(await local.refusal(url)).toBeUndefined()
  })

  it.each([
    'http://169.254.169.254/metadata/instance',
    'http://[::ffff:169.254.169.254]',
    'http://[::ffff:a9fe:a9fe]',
    'http://[::a9fe:a9fe]',
    'http://[64:ff9b::a9fe:a9fe]',
    'http://[64:ff9b:1::a9fe:a9fe]',
    'http://[2002:a9fe:a9fe::1]',
    'http://[::ffff:0:a9fe:a9fe]',
    'http://0xA9FEA9FE',
    'http://mapped.example.com',
    'http://168.63.129.16',
    'http://[fe80::1]',
    'http://[fd00:ec2::254]',
    'http://0.0.0.0:80',
    'http://[::]',
    'http://224.0.0.1',
    'http://93.184.216.34',
    'http://mixed.example.com',
    'http://absent.example.com',
  ])('%s is not called', async (url) => {
    expect(await local.refusal(url)).toEqual(expect.any(String))
  })
})
