// The bar above GraphiQL: the key's field, what the server says about it, the last run seen, and a way back to the examples.
;(() => {
  const { apiKey } = window
  const byId = (id) => document.getElementById(id)
  const field = byId('key')
  const show = byId('key-show')
  const remember = byId('key-remember')
  const status = byId('key-status')
  const run = byId('last-run')

  const says = {
    missing: 'Enter the key that the server printed when it started.',
    checking: 'Checking…',
    connected: 'Connected',
    rejected: 'Key not accepted',
    unreachable: 'The server does not answer',
  }

  function say(state) {
    status.dataset.state = state
    status.textContent = says[state]
  }

  async function probe() {
    if (apiKey.get() === '') return 'missing'
    try {
      const response = await fetch(location.pathname, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query: '{ __typename }' }),
      })
      return (await response.json()).data ? 'connected' : 'rejected'
    } catch {
      return 'unreachable'
    }
  }

  async function check() {
    say('checking')
    const key = apiKey.get()
    const state = await probe()
    // a later key has its own check under way
    if (key === apiKey.get()) say(state)
    return state
  }

  // GraphiQL reads the schema when it starts, and offers no way to start it again; its tabs survive a reload
  async function useKey() {
    if ((await check()) === 'connected') location.reload()
  }

  async function enter() {
    const key = field.value.trim()
    if (key === apiKey.get()) return
    apiKey.set(key, remember.checked)
    await useKey()
  }

  function showRun(id) {
    run.hidden = id === null
    run.dataset.id = id ?? ''
    run.textContent = id === null ? '' : `Last run ${id.slice(0, 8)}…${id.slice(-4)}`
  }

  async function copyRun() {
    await navigator.clipboard.writeText(run.dataset.id)
    run.textContent = 'Copied'
    setTimeout(() => showRun(apiKey.lastRun()), 1_000)
  }

  function restoreExamples() {
    if (!confirm('Replace all tabs with the example operations?')) return
    for (const name of Object.keys(localStorage)) if (name.startsWith('graphiql:')) localStorage.removeItem(name)
    location.replace(location.pathname)
  }

  field.addEventListener('change', enter)
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') enter()
  })
  show.addEventListener('click', () => {
    const shown = field.type === 'text'
    field.type = shown ? 'password' : 'text'
    show.textContent = shown ? 'Show' : 'Hide'
    show.setAttribute('aria-pressed', String(!shown))
  })
  remember.addEventListener('change', () => apiKey.set(apiKey.get(), remember.checked))
  run.addEventListener('click', copyRun)
  byId('restore').addEventListener('click', restoreExamples)
  window.addEventListener('hashchange', () => {
    if (apiKey.takeFromAddress()) useKey()
  })
  apiKey.listen((event) => {
    if (event.type === 'run') showRun(event.id)
    else say('rejected')
  })

  showRun(apiKey.lastRun())
  field.value = apiKey.get()
  remember.checked = apiKey.isRemembered()
  check().then((state) => {
    if (state === 'missing') field.focus()
  })
})()
