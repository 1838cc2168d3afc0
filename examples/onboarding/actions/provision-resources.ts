import { setTimeout as sleep } from 'node:timers/promises'
import { action } from 'action.do'
import { z } from 'zod'
import { derivedId } from '../derived-id.ts'

const RESOURCES = ['workspace', 'bucket', 'access policy', 'search index', 'dashboard']

const Progress = z.object({ workspaceId: z.string(), made: z.int() })

/**
 * Idempotent, because all names derive from the idempotency key: to make a resource that exists already changes
 * nothing. The heartbeat spares a second attempt what the first one finished.
 */
export const provisionResources = ({ stepMs = 100 }: { stepMs?: number | undefined } = {}) =>
  action('provision-resources', {
    description: 'Sets up the resources of a new user.',
    params: z.object({ userId: z.string().min(1), plan: z.string().min(1).default('starter') }),
    result: z.object({ workspaceId: z.string(), bucket: z.string(), plan: z.string() }),
    effect: 'idempotent',
    timeoutMs: 30_000,
    run: async ({ params, idempotencyKey, signal, log, heartbeat, lastHeartbeat }) => {
      const workspaceId = `ws_${derivedId('workspace', idempotencyKey)}`
      const last = Progress.safeParse(lastHeartbeat)
      // a retry with a new key has other names, and begins at the beginning
      let made = last.success && last.data.workspaceId === workspaceId ? last.data.made : 0
      while (made < RESOURCES.length) {
        log.info({ resource: RESOURCES[made], userId: params.userId }, 'provisioning')
        await sleep(stepMs, undefined, { signal }) // stands for a call to a cloud's API
        made += 1
        heartbeat({ workspaceId, made })
      }
      return { workspaceId, bucket: `onboarding-${derivedId('bucket', idempotencyKey)}`, plan: params.plan }
    },
  })
