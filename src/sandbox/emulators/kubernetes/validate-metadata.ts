import type { KubernetesObject } from './json.ts'
import { equal } from './json.ts'
import type { ResourceType } from './resource-type.ts'
import type { FieldError } from './status.ts'
import { quoted } from './status.ts'

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const qualifiedName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const labelValue = `(${qualifiedName})?`

/** What is wrong with the metadata of an object to be stored; empty when nothing is. */
export function metadataErrors(type: ResourceType, object: KubernetesObject): FieldError[] {
  const { name, namespace, labels = {}, annotations = {}, finalizers = [] } = object.metadata
  const errors: FieldError[] = []
  if (!name) errors.push(required('metadata.name', 'name or generateName is required'))
  else errors.push(...nameErrors(type, name))
  if (type.namespaced && !namespace) errors.push(required('metadata.namespace', ''))
  for (const [key, value] of Object.entries(labels)) {
    errors.push(...keyErrors('metadata.labels', key), ...labelValueErrors(value))
  }
  for (const key of Object.keys(annotations)) errors.push(...keyErrors('metadata.annotations', key.toLowerCase()))
  for (const finalizer of finalizers) errors.push(...keyErrors('metadata.finalizers', finalizer))
  return errors
}

/** What an update may not do to metadata. The real server finds each of these twice, and so do its causes. */
export function metadataChangeErrors(object: KubernetesObject, live: KubernetesObject): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['uid', 'creationTimestamp', 'deletionTimestamp'] as const) {
    const [next, before] = [object.metadata[field], live.metadata[field]]
    if (!equal(next, before)) errors.push(wrong(`metadata.${field}`, String(next), 'field is immutable'))
  }
  const added = (object.metadata.finalizers ?? []).filter((name) => !live.metadata.finalizers?.includes(name))
  if (live.metadata.deletionTimestamp && added.length > 0) {
    const found = `found new finalizers []string{${added.map(quoted).join(', ')}}`
    const message = `Forbidden: no new finalizers can be added if the object is being deleted, ${found}`
    errors.push({ field: 'metadata.finalizers', reason: 'FieldValueForbidden', message })
  }
  return [...errors, ...errors]
}

function nameErrors(type: ResourceType, name: string): FieldError[] {
  if (type.names === 'label') {
    if (name.length > 63) return [tooLong('metadata.name', name, 63)]
    if (matches(name, label)) return []
    if (matches(name, subdomain)) return [wrong('metadata.name', name, 'must not contain dots')]
    const rule = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`
    return [wrong('metadata.name', name, rule)]
  }
  if (name.length > 253) return [tooLong('metadata.name', name, 253)]
  if (matches(name, subdomain)) return []
  const rule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`
  return [wrong('metadata.name', name, rule)]
}

/** Keys of labels and annotations and names of finalizers: an optional DNS prefix, a slash, a name. */
function keyErrors(field: string, key: string): FieldError[] {
  const [name = '', prefix] = key.split('/').reverse()
  const errors: FieldError[] = []
  if (prefix !== undefined && !matches(prefix, subdomain)) {
    const rule = `prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`
    errors.push(wrong(field, key, rule))
  }
  if (name.length > 63) errors.push(wrong(field, key, 'name part must be no more than 63 bytes'))
  if (!matches(name, qualifiedName)) {
    const rule = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualifiedName}')`
    errors.push(wrong(field, key, rule))
  }
  return errors
}

function labelValueErrors(value: string): FieldError[] {
  if (value.length > 63) return [wrong('metadata.labels', value, 'must be no more than 63 bytes')]
  if (matches(value, labelValue)) return []
  const rule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`
  return [wrong('metadata.labels', value, rule)]
}

function matches(text: string, pattern: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(text)
}

function wrong(field: string, value: string, rule: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${quoted(value)}: ${rule}` }
}

function tooLong(field: string, value: string, most: number): FieldError {
  return wrong(field, value, `must be no more than ${most} bytes`)
}

function required(field: string, why: string): FieldError {
  return { field, reason: 'FieldValueRequired', message: why ? `Required value: ${why}` : 'Required value' }
}
