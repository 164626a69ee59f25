import { AttributeTypeAndValue, AttributeValue, Name, RelativeDistinguishedName } from '@peculiar/asn1-x509'

/** Who a CA is. */
export interface CaName {
  /** At most 64 characters (X.520). */
  readonly commonName: string
  /** At most 64 characters. */
  readonly organization?: string
}

const [COMMON_NAME, ORGANIZATION] = ['2.5.4.3', '2.5.4.10']
const LONGEST = 64

/** The distinguished name, in UTF-8. Throws for parts that X.520 does not allow. */
export function nameOf({ commonName, organization }: CaName): Name {
  const parts = [...(organization === undefined ? [] : [[ORGANIZATION, organization]]), [COMMON_NAME, commonName]]
  return new Name(parts.map(([type = '', text = '']) => part(type, text)))
}

function part(type: string, text: string): RelativeDistinguishedName {
  if (text.length === 0 || [...text].length > LONGEST)
    throw new Error('a part of a CA’s name has from 1 to 64 characters')
  return new RelativeDistinguishedName([
    new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
  ])
}
