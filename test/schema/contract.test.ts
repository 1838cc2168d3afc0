import {
  buildSchema,
  type GraphQLField,
  type GraphQLNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
} from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/schema/index.ts'
import { CONTRACT } from './contract.ts'

/** One line for each fact about a type: `Run.id: ID!`, `Run.events(after: Int)`, `Run implements Node`. */
function factsOf(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) return type.getValues().map(({ name }) => `enum ${type.name}.${name}`)
  if (isUnionType(type)) return type.getTypes().map(({ name }) => `union ${type.name} = ${name}`)
  if (isInputObjectType(type))
    return Object.values(type.getFields()).map((field) => `input ${type.name}.${field.name}: ${field.type}`)
  if (isObjectType(type) || isInterfaceType(type))
    return [
      ...type.getInterfaces().map(({ name }) => `${type.name} implements ${name}`),
      ...Object.values(type.getFields()).flatMap((field) => fieldFacts(type.name, field)),
    ]
  return [`scalar ${type.name}`]
}

function fieldFacts(owner: string, field: GraphQLField<unknown, unknown>): string[] {
  const name = `${owner}.${field.name}`
  return [`${name}: ${field.type}`, ...field.args.map((arg) => `${name}(${arg.name}: ${arg.type})`)]
}

function ownTypes(of: typeof schema): GraphQLNamedType[] {
  return Object.values(of.getTypeMap()).filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
}

test('every name of the contract exists, with its type and nullability', () => {
  const built = new Set(ownTypes(schema).flatMap(factsOf))
  const promised = ownTypes(buildSchema(CONTRACT)).flatMap(factsOf)
  expect(promised.length).toBeGreaterThan(180)
  expect(promised.filter((fact) => !built.has(fact))).toEqual([])
})

test('an argument or input field that the contract does not know is optional', () => {
  const contract = buildSchema(CONTRACT)
  const added = ownTypes(schema).flatMap((type) => {
    const known = contract.getType(type.name)
    if (isInputObjectType(type) && isInputObjectType(known))
      return Object.values(type.getFields())
        .filter(({ name }) => !known.getFields()[name])
        .map(({ name, type: of }) => `${type.name}.${name}: ${of}`)
    if ((isObjectType(type) && isObjectType(known)) || (isInterfaceType(type) && isInterfaceType(known)))
      return Object.values(type.getFields()).flatMap(({ name, args }) =>
        args
          .filter((arg) => !known.getFields()[name]?.args.some((one) => one.name === arg.name))
          .map((arg) => `${type.name}.${name}(${arg.name}: ${arg.type})`),
      )
    return []
  })
  expect(added.filter((fact) => fact.includes('!') && contract.getType(fact.split('.')[0] ?? ''))).toEqual([])
})

test('runEvents begins at the first event unless told otherwise', () => {
  const after = schema
    .getSubscriptionType()
    ?.getFields()
    .runEvents?.args.find(({ name }) => name === 'after')
  expect(after?.defaultValue).toBe(0)
})

test('every error member of a union implements Error, and every Error is in a union', () => {
  const errors = schema.getPossibleTypes(schema.getType('Error') as Parameters<typeof schema.getPossibleTypes>[0])
  const unions = ownTypes(schema).filter(isUnionType)
  expect(unions.length).toBeGreaterThan(2)
  const members = new Set(unions.flatMap((union) => union.getTypes()))
  expect([...members].filter(({ name }) => /Error$/.test(name) && !errors.some((one) => one.name === name))).toEqual([])
  expect(errors.filter((error) => !members.has(error)).map(({ name }) => name)).toEqual([])
})

test('everything in the schema has a description', () => {
  const bare = ownTypes(schema).flatMap((type) => {
    const own = type.description ? [] : [type.name]
    if (isEnumType(type)) return [...own, ...undescribed(type.name, type.getValues())]
    if (isInputObjectType(type)) return [...own, ...undescribed(type.name, Object.values(type.getFields()))]
    if (isAbstractType(type) && !isInterfaceType(type)) return own
    if (!isObjectType(type) && !isInterfaceType(type)) return own
    const fields = Object.values(type.getFields())
    const args = fields.flatMap((field) => undescribed(`${type.name}.${field.name}`, field.args))
    return [...own, ...undescribed(type.name, fields), ...args]
  })
  expect(bare).toEqual([])
})

function undescribed(
  owner: string,
  members: readonly { name: string; description?: string | null | undefined }[],
): string[] {
  return members.filter(({ description }) => !description).map(({ name }) => `${owner}.${name}`)
}
