//! `skip`: functions and files that `step` passes over.

use regex_lite::Regex;

use crate::commands::breakpoints::numbers;
use crate::commands::words::split_words;
use crate::debugger::Debugger;
use crate::error::Error;
use crate::skips::Pattern;

pub(super) fn skip(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let words = split_words(arguments)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match &*words {
        ["delete", rest @ ..] => return delete(debugger, &rest.join(" ")),
        ["enable", rest @ ..] => return enable(debugger, &rest.join(" "), true),
        ["disable", rest @ ..] => return enable(debugger, &rest.join(" "), false),
        _ => {}
    }
    let (mut file, mut function) = (None, None);
    match &*words {
        [] | ["function"] => {
            function = Some(Pattern::Name(
                debugger.expect_frame()?.function().to_string(),
            ))
        }
        ["file"] => file = Some(Pattern::Name(here(debugger)?)),
        ["function", name] => function = Some(Pattern::Name((*name).to_owned())),
        ["file", name] => file = Some(Pattern::Name((*name).to_owned())),
        [name] if !name.starts_with('-') => function = Some(Pattern::Name((*name).to_owned())),
        options => {
            for option in options.chunks(2) {
                let [name, value] = option else {
                    return Err(Error::Other(format!(
                        "Missing value for {} option.",
                        option[0]
                    )));
                };
                match *name {
                    "-file" | "-fi" => file = Some(Pattern::Name((*value).to_owned())),
                    "-gfile" | "-gfi" => file = Some(Pattern::Glob((*value).to_owned())),
                    "-function" | "-fu" => function = Some(Pattern::Name((*value).to_owned())),
                    "-gfunction" | "-gfu" => function = Some(Pattern::Glob((*value).to_owned())),
                    "-rfunction" | "-rfu" => function = Some(expression(value)?),
                    "-rfile" | "-rfi" => file = Some(expression(value)?),
                    name => {
                        return Err(Error::Other(format!(
                            "Invalid skip option: {name}; there are -fi, -gfi, -rfi, -fu, -gfu and -rfu."
                        )));
                    }
                }
            }
        }
    }
    let text = describe(file.as_ref(), function.as_ref());
    debugger.skips.add(file, function);
    debugger.say(format!("{text} will be skipped when stepping."));
    Ok(())
}

fn expression(text: &str) -> Result<Pattern, Error> {
    let regex = Regex::new(text);
    regex
        .map(Pattern::Expression)
        .map_err(|error| Error::Other(format!("\"{text}\" is no regular expression: {error}.")))
}

/// The file of the place where the selected frame stands.
fn here(debugger: &Debugger) -> Result<String, Error> {
    let frame = debugger.expect_frame()?;
    let location = frame.location();
    let location =
        location.ok_or_else(|| Error::other("No file here: the frame has no source line."))?;
    Ok(location.file.to_string())
}

fn describe(file: Option<&Pattern>, function: Option<&Pattern>) -> String {
    match (file, function) {
        (Some(file), Some(function)) => {
            format!("Function(s) {} in file(s) {}", function.text(), file.text())
        }
        (Some(file), None) => format!("File {}", file.text()),
        (None, Some(function)) => format!("Function {}", function.text()),
        (None, None) => "Nothing".to_owned(),
    }
}

fn delete(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let wanted = wanted(debugger, arguments)?;
    debugger.skips.retain(|skip| !wanted.contains(&skip.number));
    Ok(())
}

fn enable(debugger: &mut Debugger, arguments: &str, is_enabled: bool) -> Result<(), Error> {
    for number in wanted(debugger, arguments)? {
        debugger.skips.get_mut(number)?.is_enabled = is_enabled;
    }
    Ok(())
}

fn wanted(debugger: &mut Debugger, arguments: &str) -> Result<Vec<u32>, Error> {
    let wanted = match arguments {
        "" => debugger.skips.iter().map(|skip| skip.number).collect(),
        arguments => numbers(debugger, arguments)?,
    };
    for number in &wanted {
        debugger.skips.get_mut(*number)?;
    }
    Ok(wanted)
}

/// `info skip`
/// `info skip [NUMBERS]`
pub(super) fn info(debugger: &mut Debugger, arguments: &str) -> Result<(), Error> {
    let wanted = numbers(debugger, arguments)?;
    let is_wanted = |number: u32| wanted.is_empty() || wanted.contains(&number);
    let mut text = "Num   Enb File                      Function".to_owned();
    for skip in debugger.skips.iter().filter(|skip| is_wanted(skip.number)) {
        let shown =
            |pattern: &Option<Pattern>| pattern.as_ref().map_or("<none>", Pattern::text).to_owned();
        let mark = if skip.is_enabled { 'y' } else { 'n' };
        let row = format!(
            "\n{:<5} {mark}   {:<25} {}",
            skip.number,
            shown(&skip.file),
            shown(&skip.function)
        );
        text.push_str(&row);
    }
    if !debugger.skips.iter().any(|skip| is_wanted(skip.number)) {
        text = match arguments {
            "" => "Not skipping any files or functions.".to_owned(),
            arguments => format!("No skiplist entries found with number {arguments}."),
        };
    }
    debugger.say(text);
    Ok(())
}
