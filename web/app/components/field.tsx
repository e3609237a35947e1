// Form fields: label, native control, and what is wrong with it, tied together for screen readers.
import { useId, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon';
import { IconButton } from './button';

interface NativeInput {
  id?: string;
  name?: string;
  type?: 'text' | 'email' | 'url' | 'datetime-local';
  /** id of a <datalist>. */
  list?: string;
  inputMode?: 'text' | 'numeric' | 'decimal';
  value?: string;
  autocomplete?: string;
  autocapitalize?: string;
  autofocus?: boolean;
  spellcheck?: boolean;
  maxLength?: number;
  onKeyDown?(event: KeyboardEvent): void;
}

interface FieldProps extends NativeInput {
  label: string;
  hint?: string | undefined;
  wrong?: string | undefined;
  optional?: boolean;
  onText(text: string): void;
}

export function TextField({ label, hint, wrong, optional, onText, ...rest }: FieldProps) {
  const id = useId();
  const note = wrong ?? hint;
  return (
    <div class="field">
      <label for={id}>
        {label} {optional && <span class="optional">(optional)</span>}
      </label>
      <input
        type="text"
        {...(rest as object)}
        id={id}
        class="input"
        aria-invalid={wrong ? 'true' : undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <FieldNote id={`${id}-note`} hint={hint} wrong={wrong} />
    </div>
  );
}

export function PasswordField({ label, hint, wrong, onText, ...rest }: Omit<FieldProps, 'type'>) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="password">
        <input
          {...(rest as object)}
          id={id}
          type={(shown ? 'text' : 'password') as 'password'}
          class="input"
          autocapitalize="off"
          spellcheck={false}
          aria-invalid={wrong ? 'true' : undefined}
          aria-describedby={(wrong ?? hint) ? `${id}-note` : undefined}
          onInput={(event) => onText(event.currentTarget.value)}
        />
        <IconButton
          icon={shown ? 'eye_off' : 'eye'}
          label={shown ? 'Hide password' : 'Show password'}
          onClick={() => setShown(!shown)}
        />
      </div>
      <FieldNote id={`${id}-note`} hint={hint} wrong={wrong} />
    </div>
  );
}

export function TextArea({
  label,
  hint,
  wrong,
  value,
  onText,
  maxLength,
}: {
  label: string;
  hint?: string;
  wrong?: string | undefined;
  value: string;
  maxLength?: number;
  onText(text: string): void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class="input"
        value={value}
        maxLength={maxLength}
        aria-invalid={wrong ? 'true' : undefined}
        aria-describedby={(wrong ?? hint) ? `${id}-note` : undefined}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <FieldNote id={`${id}-note`} hint={hint} wrong={wrong} />
    </div>
  );
}

function FieldNote({
  id,
  hint,
  wrong,
}: {
  id: string;
  hint?: string | undefined;
  wrong?: string | undefined;
}) {
  if (wrong)
    return (
      <p class="wrong" id={id}>
        <Icon name="alert" size={16} /> {wrong}
      </p>
    );
  return hint ? (
    <p class="hint" id={id}>
      {hint}
    </p>
  ) : null;
}

interface SearchProps extends Omit<NativeInput, 'type'> {
  label: string;
  value: string;
  shortcut?: string;
  onText(text: string): void;
}

export function SearchField({ label, value, shortcut, onText, ...rest }: SearchProps) {
  return (
    <div class="search">
      <Icon name="search" size={18} />
      <input
        {...(rest as object)}
        class="input"
        type="search"
        value={value}
        aria-label={label}
        placeholder={label}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      {value ? (
        <IconButton icon="close" label="Clear search" small onClick={() => onText('')} />
      ) : (
        shortcut && <kbd aria-hidden="true">{shortcut}</kbd>
      )}
    </div>
  );
}

export function Segments<T extends string>({
  label,
  name,
  value,
  choices,
  onChoose,
}: {
  label: string;
  name: string;
  value: T;
  choices: readonly { value: T; label: string; icon?: IconName }[];
  onChoose(value: T): void;
}) {
  return (
    <div class="segments" role="radiogroup" aria-label={label}>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input
            type="radio"
            name={name}
            checked={choice.value === value}
            onChange={() => onChoose(choice.value)}
          />
          {choice.label}
        </label>
      ))}
    </div>
  );
}

/** One of several, each with a line of its own. */
export function Choices<T extends string>({
  label,
  name,
  value,
  choices,
  onChoose,
}: {
  label: string;
  name: string;
  value: T;
  choices: readonly { value: T; label: string; note?: string }[];
  onChoose(value: T): void;
}) {
  return (
    <fieldset class="choices">
      <legend class="field-label">{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input
            type="radio"
            name={name}
            checked={choice.value === value}
            onChange={() => onChoose(choice.value)}
          />
          <span>
            {choice.label}
            {choice.note && <span class="hint">{choice.note}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

/** On or off, at once. */
export function Switch({
  label,
  hint,
  on,
  disabled,
  onSwitch,
}: {
  label: string;
  hint?: string;
  on: boolean;
  disabled?: boolean;
  onSwitch(on: boolean): void;
}) {
  const id = useId();
  return (
    <div class="switch">
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <p class="hint" id={`${id}-note`}>
            {hint}
          </p>
        )}
      </div>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={on}
        disabled={disabled}
        aria-describedby={hint ? `${id}-note` : undefined}
        onChange={(event) => onSwitch(event.currentTarget.checked)}
      />
    </div>
  );
}
