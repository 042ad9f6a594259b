// Says in words that a passkey was not used: allauth would only write to the console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("signin-passkey-error").hidden = false;
});
