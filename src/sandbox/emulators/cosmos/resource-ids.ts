/*
 * Resource ids as Cosmos DB builds them: 4 bytes for the database, 4 for the container, 8 for the document, in base64
 * with `-` for `/`. The SDK takes session tokens only of an owner whose id is exactly 8 bytes.
 */

export function databaseRid(number: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return encode(bytes)
}

export function containerRid(database: string, number: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(0x80000000 + number)
  return encode(Buffer.concat([decode(database), bytes]))
}

export function documentRid(container: string, number: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(number))
  return encode(Buffer.concat([decode(container), bytes]))
}

/** Unlike the real one the tag tells its age: it is made of the write's sequence number and never comes twice. */
export function etagOf(sequence: number, timestampS: number): string {
  const head = sequence.toString(16).padStart(12, '0')
  return `"${head.slice(0, 8)}-${head.slice(8)}-0100-0000-${timestampS.toString(16).padStart(8, '0')}0000"`
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('/', '-')
}

function decode(rid: string): Buffer {
  return Buffer.from(rid.replaceAll('-', '/'), 'base64')
}
