import { type DocumentNode, type FieldNode, getOperationAST, Kind, OperationTypeNode, visit } from 'graphql'

const known = new WeakMap<FieldNode, readonly string[]>()

/** The field `runEvents` of a subscription that has no other and lets nothing decide whether it has this one. */
export function watchingField(document: DocumentNode, operationName: string | undefined): FieldNode | undefined {
  const operation = getOperationAST(document, operationName)
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return
  const [field, ...others] = operation.selectionSet.selections
  if (field?.kind !== Kind.FIELD || field.name.value !== 'runEvents' || others.length > 0) return
  return field.directives?.length === 0 ? field : undefined
}

/**
 * The variables that its answers depend on: all that the document uses, but for the arguments of the field itself, which only
 * say which events there are. For most documents none.
 */
export function selectingVariables(document: DocumentNode, field: FieldNode): readonly string[] {
  const before = known.get(field)
  if (before) return before
  const names = new Set<string>()
  visit(document, {
    VariableDefinition: () => false,
    Argument: (argument) => (field.arguments?.includes(argument) ? false : undefined),
    Variable: ({ name }) => void names.add(name.value),
  })
  const sorted = [...names].sort()
  known.set(field, sorted)
  return sorted
}
