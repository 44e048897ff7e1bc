/**
 * The CustomResourceDefinition of a resource. Pure. Not here: its fields' schemas (structural.ts), YAML (generate.ts).
 */
import { described, explained } from './explained.ts'
import type { Column, Resource } from './resources.ts'
import { API_VERSION } from './sip-proxy.ts'
import { type StructuralSchema, structuralSchema } from './structural.ts'

export function customResourceDefinition(resource: Resource) {
  const { kind, plural, shortName, scope, columns } = resource
  const [group = '', version = ''] = API_VERSION.split('/')
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/name': 'sipcast' },
    },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['sipcast'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(printerColumn),
          schema: { openAPIV3Schema: writtenSchema(resource) },
        },
      ],
    },
  }
}

/** Of the object as a whole. */
export function wholeSchema(resource: Resource): StructuralSchema {
  const { description, spec, status, needsSpec, nameLengthMax } = resource
  return {
    description,
    type: 'object',
    ...(needsSpec ? { required: ['spec'] } : {}),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: {
        type: 'object',
        properties: { name: { type: 'string', maxLength: nameLengthMax } },
      },
      spec: structuralSchema(needsSpec ? titled(spec) : titled(spec).prefault({}), {
        withDefaults: true,
      }),
      status: structuralSchema(titled(status), { withDefaults: false }),
    },
  }
}

function titled({ schema, description }: Resource['spec']) {
  return schema.describe(description)
}

function writtenSchema(resource: Resource): StructuralSchema {
  const { properties = {}, ...whole } = wholeSchema(resource)
  const { spec, status, ...others } = properties
  return {
    ...whole,
    properties: {
      ...others,
      ...(spec && { spec: explained(spec) }),
      ...(status && { status: described(status) }),
    },
  }
}

function printerColumn({ name, jsonPath, type, description, wide }: Column) {
  return { name, type, description, jsonPath, ...(wide === true ? { priority: 1 } : {}) }
}
