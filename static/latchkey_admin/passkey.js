// Says why a passkey was not used, on the page instead of the console alone.
document.addEventListener("allauth.error", (event) => {
  const told = document.getElementById("passkey-error");
  const { name } = event.detail.exception;
  told.textContent =
    name === "SecurityError"
      ? "Passkeys need a host name: open this page by the name, not by the IP address."
      : name === "InvalidStateError"
        ? "This device has a passkey of the account already."
        : "The passkey was not used. Try again, or another way.";
  told.hidden = false;
});
