# Puts a text file into the binary: generates <name>.h with `inline constexpr std::string_view`.
# The literal is cut in pieces, because compilers bound the length of one.
#
#   sluice_embed(ROOM FILE CONSTANT)     e.g. telemetry prices.json kPricesJson -> telemetry/prices_json.h
function(sluice_embed room file constant)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${room}/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  string(REGEX REPLACE "[^a-z0-9]" "_" name ${file})
  file(READ ${source} text)
  string(LENGTH "${text}" length)
  set(pieces "")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} 8000 piece)
    string(APPEND pieces "\n    R\"sluice(${piece})sluice\"")
    math(EXPR at "${at} + 8000")
  endwhile()
  set(EMBED_ROOM ${room})
  set(EMBED_FILE ${file})
  set(EMBED_CONSTANT ${constant})
  set(EMBED_TEXT "${pieces}")
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed.h.in ${CMAKE_BINARY_DIR}/generated/${room}/${name}.h @ONLY)
  if(TARGET sluice_${room})
    target_include_directories(sluice_${room} PRIVATE ${CMAKE_BINARY_DIR}/generated)
  endif()
endfunction()

# Puts the bytes of a file into the binary: generates <name>.h with `std::string_view FUNCTION()`, and the assembly that
# takes the file in as it is.
#
#   sluice_embed_bytes(ROOM FILE FUNCTION)     e.g. wire data/a.zst a_bytes -> wire/data/a_zst.h
function(sluice_embed_bytes room file function)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${room}/${file})
  get_filename_component(folder ${room}/${file} DIRECTORY)
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "[^a-z0-9]" "_" name ${name})
  set(EMBED_ROOM ${room})
  set(EMBED_FILE ${file})
  set(EMBED_SOURCE ${source})
  set(EMBED_FUNCTION ${function})
  set(made ${CMAKE_BINARY_DIR}/generated/${folder}/${name})
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed_bytes.h.in ${made}.h @ONLY)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/embed_bytes.S.in ${made}.S @ONLY)
  set_source_files_properties(${made}.S PROPERTIES OBJECT_DEPENDS ${source})
  target_sources(sluice_${room} PRIVATE ${made}.S)
  target_include_directories(sluice_${room} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()
