import { element } from './elements.js';

// The dashboard changes nothing: a button gives the command that does, and copies it where the browser lets it.
export class Orders {
  #line = element('code');
  #says = element('span', { class: 'soft' });
  root = element('p', { class: 'order', role: 'status', hidden: true }, this.#line, ' ', this.#says);

  button(label, command, words) {
    return element('button', { type: 'button', class: 'small', 'aria-label': words, onclick: () => this.give(command) }, label);
  }

  async give(command) {
    this.#line.textContent = command;
    this.#says.textContent = 'Run it where the stack is.';
    this.root.hidden = false;
    try {
      await navigator.clipboard.writeText(command);
      this.#says.textContent = 'Copied. Run it where the stack is.';
    } catch {
      // It can be selected and copied by hand.
    }
  }
}

// One word for a shell, whatever is in it.
export const quoted = text => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
