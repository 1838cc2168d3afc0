import { withoutNulls } from '../core/json.ts'
import {
  type Registration,
  registerAction,
  removeAction,
  rotateActionSecret,
  updateAction,
} from '../executor/commands/register-action.ts'
import type { RegisteredAction } from '../executor/registry.ts'
import { ActionRef } from './action.ts'
import { builder } from './builder.ts'
import { errorTypes, orRefusal, refusalOr } from './errors.ts'
import {
  RegisterActionInput,
  RemoveActionInput,
  RotateActionSecretInput,
  UpdateActionInput,
} from './register-inputs.ts'

/** A payload with a secret; there is no other place where it can be read. */
function secretPayload(name: string, description: string) {
  return builder.objectRef<Registration>(name).implement({
    description,
    fields: (t) => ({
      action: t.field({
        type: ActionRef,
        nullable: false,
        description: 'As it stands.',
        resolve: ({ action }) => action,
      }),
      secret: t.exposeString('secret', {
        nullable: false,
        description: 'Signs the calls. Shown in this answer and never again: if it is lost, rotate it.',
      }),
    }),
  })
}

const RegisterActionPayload = secretPayload(
  'RegisterActionPayload',
  'The action, and the secret that its service needs.',
)
const RotateActionSecretPayload = secretPayload('RotateActionSecretPayload', 'The action, and its next secret.')

const UpdateActionPayload = builder.objectRef<{ action: RegisteredAction }>('UpdateActionPayload').implement({
  description: 'The action. Attempts that begin from now on are made with it.',
  fields: (t) => ({
    action: t.field({
      type: ActionRef,
      nullable: false,
      description: 'As it stands.',
      resolve: ({ action }) => action,
    }),
  }),
})

const RemoveActionPayload = builder.objectRef<{ removed: string }>('RemoveActionPayload').implement({
  description: 'The action is gone. Its runs stay, and those that have not ended wait.',
  fields: (t) => ({ name: t.exposeString('removed', { nullable: false, description: 'Of the action that was.' }) }),
})

const { actionNotFound, invalidDefinition, invalidInput, permissionDenied } = errorTypes

const RegisterActionResult = builder.unionType('RegisterActionResult', {
  description: 'The action with its secret, or why nothing was registered.',
  resolveType: refusalOr('RegisterActionPayload'),
  types: [RegisterActionPayload, invalidDefinition, invalidInput, permissionDenied],
})

const UpdateActionResult = builder.unionType('UpdateActionResult', {
  description: 'The action, or why nothing was changed.',
  resolveType: refusalOr('UpdateActionPayload'),
  types: [UpdateActionPayload, actionNotFound, invalidDefinition, invalidInput, permissionDenied],
})

const RemoveActionResult = builder.unionType('RemoveActionResult', {
  description: 'What was removed, or why nothing was.',
  resolveType: refusalOr('RemoveActionPayload'),
  types: [RemoveActionPayload, actionNotFound, invalidInput, permissionDenied],
})

const RotateActionSecretResult = builder.unionType('RotateActionSecretResult', {
  description: 'The next secret, or why there is none.',
  resolveType: refusalOr('RotateActionSecretPayload'),
  types: [RotateActionSecretPayload, actionNotFound, invalidInput, permissionDenied],
})

builder.mutationField('registerAction', (t) =>
  t.field({
    type: RegisterActionResult,
    nullable: false,
    description: 'Registers an action that a service executes. Every server of the database serves it within seconds.',
    args: { input: t.arg({ type: RegisterActionInput, required: true, description: 'The action.' }) },
    resolve: (_, { input: { name, ...given } }, { executor, actor }) =>
      orRefusal(registerAction(executor, name, withoutNulls(given), actor)),
  }),
)

builder.mutationField('updateAction', (t) =>
  t.field({
    type: UpdateActionResult,
    nullable: false,
    description: 'Changes a registered action: a new version of it. The same again changes nothing.',
    args: { input: t.arg({ type: UpdateActionInput, required: true, description: 'What changes.' }) },
    resolve: (_, { input: { name, ...changes } }, { executor, actor }) =>
      orRefusal(updateAction(executor, name, { ...changes }, actor).then((action) => ({ action }))),
  }),
)

builder.mutationField('removeAction', (t) =>
  t.field({
    type: RemoveActionResult,
    nullable: false,
    description: 'Removes a registered action.',
    args: { input: t.arg({ type: RemoveActionInput, required: true, description: 'Which.' }) },
    resolve: (_, { input: { name } }, { executor, actor }) =>
      orRefusal(removeAction(executor, name, actor).then(() => ({ removed: name }))),
  }),
)

builder.mutationField('rotateActionSecret', (t) =>
  t.field({
    type: RotateActionSecretResult,
    nullable: false,
    description: 'Makes another secret; until the one before expires, calls are signed with both.',
    args: { input: t.arg({ type: RotateActionSecretInput, required: true, description: 'Of which action.' }) },
    resolve: (_, { input: { name, keepPreviousMs } }, { executor }) =>
      orRefusal(rotateActionSecret(executor, name, keepPreviousMs ?? null)),
  }),
)
