// The last script of the page: what GraphiQL is started with. The page's own options stand in #graphiql-options as JSON.
;(() => {
  const { tabs, logo } = JSON.parse(document.getElementById('graphiql-options').textContent)

  // GraphiQL finds the tab to return to by the text that it kept last, and keeps none before the first edit: without
  // this, a reload opens one more and empty tab
  if (localStorage.getItem('graphiql:tabState') === null) localStorage.setItem('graphiql:query', tabs[0].query)

  window.YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), {
    title: 'action.do',
    logo,
    defaultTabs: tabs,
    // POST for subscriptions as well: their text does not belong into addresses and access logs
    method: 'POST',
    subscriptionsProtocol: 'SSE',
    // the headers pane may hold a key: do not write it to storage
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: 'variables',
    // by default each edit is written into the address, from where a reload sends it to the server, up to an address
    // that is too long for it
    onEditQuery: () => {},
  })
})()
