// An answer on its way to the app goes on by itself. In the JavaScript of 2009, all of it: what can read no newer one,
// as the browsers that some test suites drive, sends it on too.
(function () {
'use strict'
var form = document.querySelector('[data-onward]')
var button = form.querySelector('button')
var sent
// Coming back, and a navigation that was stopped or failed, must not leave a dead form behind.
function rest() {
  sent = false
  button.removeAttribute('aria-disabled')
}
// Once: a code that comes a second time is taken for a stolen one.
function send() {
  sent = true
  button.setAttribute('aria-disabled', 'true')
  setTimeout(rest, 1e4)
}
form.onsubmit = function () {
  if (sent) return false
  send()
}
window.onpageshow = function (event) {
  if (event.persisted) rest()
}
history.replaceState(history.state, '', location.href)
send()
form.submit()
})()
