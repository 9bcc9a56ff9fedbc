// An answer on its way to the app goes on by itself. In the language of 2009, all of it: what reads no newer one, as the
// browsers that some test suites drive, sends it on too.
(function () {
'use strict'
// The reload of a page that answered a form asks for it anew, and sends nothing a second time.
if (history.replaceState) history.replaceState(history.state, '', location.href)
var form = document.querySelector('[data-onward]')
var button = form.querySelector('button')
var sent, timer
// A code that comes twice is taken for a stolen one: no second press while the first is under way. Coming back, and a
// navigation that was stopped or failed, make the form usable again, for it may never have come.
function send() {
  sent = true
  button.setAttribute('aria-disabled', 'true')
  clearTimeout(timer)
  timer = setTimeout(again, 1e4)
}
function again() {
  sent = false
  button.removeAttribute('aria-disabled')
}
form.onsubmit = function () {
  if (sent) return false
  send()
}
window.onpageshow = function (event) {
  if (event.persisted) again()
}
send()
form.submit()
})()
