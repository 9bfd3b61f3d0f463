import { byId } from './dom.js';
import { suggestName } from './identity.js';

/** Asks who the visitor is. */
export class NameDialog {
  readonly #dialog = byId('name-dialog', HTMLDialogElement);
  readonly #input = byId('name-input', HTMLInputElement);
  readonly #error = byId('name-error', HTMLElement);
  readonly #cancel = byId('name-cancel', HTMLButtonElement);
  #chosen: (name: string) => void = () => undefined;

  constructor() {
    byId('name-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.#input.value.trim();
      if (name === '') {
        this.#error.textContent = 'A name has at least one character.';
        return;
      }
      this.#dialog.close();
      this.#chosen(name);
    });
    this.#cancel.addEventListener('click', () => this.#dialog.close());
    // Without a name there is nothing to go back to.
    this.#dialog.addEventListener('cancel', (event) => {
      if (this.#cancel.hidden) event.preventDefault();
    });
  }

  /** `refusal`: why the server did not take the last one. */
  ask(current: string | undefined, refusal: string | undefined, chosen: (name: string) => void): void {
    this.#chosen = chosen;
    this.#cancel.hidden = current === undefined || refusal !== undefined;
    this.#input.value = current ?? suggestName();
    this.#error.textContent = refusal ?? '';
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#input.select();
  }
}
